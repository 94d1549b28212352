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
  const scale = scaleUtc([new Date(fromMs - pad), new Date(toMs + pad)], [left, right]);
  const dates = scale.ticks(Math.max(2, Math.floor((right - left) / TICK_PX)));
  const step = dates.length > 1 ? dates[1]!.getTime() - dates[0]!.getTime() : span;
  // Date keeps whole milliseconds; between them the axis is straight.
  const x = (ms: number): number => {
    const [low, high] = [scale(Math.floor(ms)), scale(Math.floor(ms) + 1)];
    return low + (high - low) * (ms - Math.floor(ms));
  };
  return { x, ticks: dates.map((date) => ({ x: scale(date), label: tickLabel(date, step) })) };
}

function tickLabel(date: Date, stepMs: number): string {
  const iso = date.toISOString();
  if (stepMs >= DAY) return iso.slice(0, 10);
  if (stepMs >= MINUTE) return iso.slice(11, 16);
  return stepMs >= SECOND ? iso.slice(11, 19) : iso.slice(11, 23);
}
