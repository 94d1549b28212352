/**
 * What the figures were measured on: processor, kernel, versions. Nothing that names the machine itself.
 *
 * @module
 */
import { VERSION } from "../lib/cli/version.ts";

/** Machine and versions. */
export interface Machine {
  readonly prmig: string;
  readonly deno: string;
  readonly v8: string;
  readonly architecture: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryMiB: number;
  readonly kernel: string;
  /** Load averages of 1, 5 and 15 minutes when measuring began: above the number of processors nothing is quiet. */
  readonly load: readonly number[];
}

/** The machine this runs on. */
export function thisMachine(): Machine {
  const processors = Deno.readTextFileSync("/proc/cpuinfo");
  return {
    prmig: VERSION,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    architecture: Deno.build.arch,
    processor: /^model name\s*:\s*(.+)$/m.exec(processors)?.[1] ?? "not told",
    processors: navigator.hardwareConcurrency,
    memoryMiB: Math.round(Deno.systemMemoryInfo().total / 2 ** 20),
    kernel: Deno.osRelease(),
    load: Deno.loadavg().map((each) => Math.round(each * 100) / 100),
  };
}

/** In one line. */
export function machineText(machine: Machine): string {
  const { processor, processors, kernel, deno, load } = machine;
  return `${processors} x ${processor}, Linux ${kernel}, Deno ${deno}, load ${load.join(" ")}`;
}
