/**
 * CLOCK_MONOTONIC, the clock of kernel traces and of witnesses who want to compare their notes.
 *
 * @module
 */
import { checked } from "./libc.ts";

const CLOCK_MONOTONIC = 1;

let call: ((clock: number, time: Uint8Array<ArrayBuffer>) => number) | undefined;

/** Microseconds of CLOCK_MONOTONIC now. */
export function monotonicUs(): number {
  const time = new Uint8Array(16);
  call ??= Deno.dlopen("libc.so.6", { clock_gettime: { parameters: ["i32", "buffer"], result: "i32" } }).symbols
    .clock_gettime;
  checked("clock_gettime", "CLOCK_MONOTONIC", () => call!(CLOCK_MONOTONIC, time));
  const view = new DataView(time.buffer);
  return Number(view.getBigInt64(0, true)) * 1_000_000 + Math.floor(Number(view.getBigInt64(8, true)) / 1000);
}
