/**
 * The kernel's clocks: CLOCK_MONOTONIC, that of kernel traces and of witnesses who want to compare their notes, and the
 * wall clock to the microsecond.
 *
 * @module
 */
import { checked } from "./libc.ts";

const CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1;

/** A struct timespec, which the next call overwrites; read in halves, as a bigint would be garbage at each call. */
const time = new Uint8Array(16);
const view = new DataView(time.buffer);

let call: ((clock: number, time: Uint8Array<ArrayBuffer>) => number) | undefined;

/** Microseconds of CLOCK_MONOTONIC now. */
export function monotonicUs(): number {
  return microseconds(CLOCK_MONOTONIC, "CLOCK_MONOTONIC");
}

/** Microseconds since 1970 now. */
export function wallUs(): number {
  return microseconds(CLOCK_REALTIME, "CLOCK_REALTIME");
}

function microseconds(clock: number, name: string): number {
  call ??= Deno.dlopen("libc.so.6", { clock_gettime: { parameters: ["i32", "buffer"], result: "i32" } }).symbols
    .clock_gettime;
  checked("clock_gettime", name, () => call!(clock, time));
  const seconds = view.getUint32(0, true) + view.getInt32(4, true) * 0x1_0000_0000;
  return seconds * 1_000_000 + Math.floor(view.getUint32(8, true) / 1000);
}
