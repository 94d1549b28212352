/**
 * How far the guest's memory has got, as a line. Pure.
 *
 * @module
 */
import type { MigrationInfo } from "../../qmp/qemu.ts";

const MIB = 1 << 20;
const NARROWEST_BAR = 10;

/** For programs. */
export function progressJson({ status, ram, expectedDowntimeMs }: MigrationInfo): unknown {
  return { phase: "memory", status, ...ram, expectedDowntimeMs };
}

/** `memory  61 %, 312 MiB left, 940 Mbit/s, downtime about 42 ms`; with `columns`, a bar that fills them. */
export function progressLine({ ram, expectedDowntimeMs }: MigrationInfo, columns?: number): string {
  if (ram === null || ram.totalBytes === 0) return "memory";
  const done = 1 - Math.min(1, ram.remainingBytes / ram.totalBytes);
  const facts = [
    `${Math.floor(done * 100)} %`.padStart(5),
    `${Math.ceil(ram.remainingBytes / MIB)} MiB left`,
    `${Math.round(ram.mbps)} Mbit/s`,
    ...expectedDowntimeMs === null ? [] : [`downtime about ${Math.round(expectedDowntimeMs)} ms`],
  ].join(", ");
  if (columns === undefined) return `memory${facts}`;
  const width = columns - "memory []".length - facts.length - 2;
  return width < NARROWEST_BAR ? `memory${facts}`.slice(0, columns - 1) : `memory [${bar(done, width)}] ${facts}`;
}

function bar(done: number, width: number): string {
  const full = Math.round(done * width);
  return "#".repeat(full) + "-".repeat(width - full);
}
