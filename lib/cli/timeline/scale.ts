/**
 * The time axis: where an instant lies, and which instants to name. Pure.
 *
 * @module
 */
// @ts-types="@types/d3-scale"
import { scaleUtc } from "d3-scale";

/** A tick of the axis. */
export interface Tick {
  readonly x: number;
  readonly label: string;
}

/** The axis of a timeline. */
export interface Axis {
  readonly x: (ms: number) => number;
  readonly ticks: readonly Tick[];
}

const SECOND = 1000, MINUTE = 60 * SECOND, DAY = 24 * 60 * MINUTE;
/** Columns a tick's label needs. */
const TICK_PX = 110;
/** Room on both sides of the first and the last instant, as a part of the whole. */
const MARGIN = 0.01;

/** The axis from `fromMs` to `toMs`, drawn between two columns. One instant alone gets a second on both sides. */
export function timeAxis(fromMs: number, toMs: number, left: number, right: number): Axis {
  const span = toMs - fromMs;
  const pad = span > 0 ? span * MARGIN : SECOND;
  const [begin, end] = [fromMs - pad, toMs + pad];
  // Date, and so the scale, knows whole milliseconds; events know parts of them.
  const x = (ms: number): number => left + (right - left) * (ms - begin) / (end - begin);
  const dates = scaleUtc([new Date(begin), new Date(end)], [0, 1]).ticks(
    Math.max(2, Math.floor((right - left) / TICK_PX)),
  );
  const step = dates.length > 1 ? dates[1]!.getTime() - dates[0]!.getTime() : span;
  return { x, ticks: dates.map((date) => ({ x: x(date.getTime()), label: tickLabel(date, step) })) };
}

function tickLabel(date: Date, stepMs: number): string {
  const iso = date.toISOString();
  if (stepMs >= DAY) return iso.slice(0, 10);
  if (stepMs >= MINUTE) return iso.slice(11, 16);
  return stepMs >= SECOND ? iso.slice(11, 19) : iso.slice(11, 23);
}
