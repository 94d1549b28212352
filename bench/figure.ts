/**
 * What a benchmark is: one module a figure under figures/, which measures prmig and its peers in turn, in one run.
 *
 * @module
 */

/** How much to do. `small`: each thing once or twice, to see that it works (the smoke test); else enough to quote. */
export interface Scale {
  readonly small: boolean;
}

/** Several measurements of one thing: the median counts, the others tell how quiet the machine was. */
export interface Sample {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** What a figure is to reach. Missing it is no error: the row says so, and `Row.note` says why. */
export interface Target {
  /** As the table shows it: "at most 1.3 x the C loop". */
  readonly says: string;
  /** Name of the peer prmig's value is divided by; `null`: the value itself counts. */
  readonly against: string | null;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One line of the table. */
export interface Row {
  readonly figure: string;
  /** "µs", "requests/s", "MiB". */
  readonly unit: string;
  readonly prmig: Sample;
  /** Measured in the same run: what an operator would use instead, and what the machine itself allows. */
  readonly peers: Readonly<Record<string, Sample>>;
  /** None: recorded, to be compared with the next release. */
  readonly targets: readonly Target[];
  /** What was measured exactly, and why a target is missed where it is. */
  readonly note?: string;
}

/** How something grows; drawn as a picture, both axes logarithmic. */
export interface Curve {
  readonly name: string;
  /** "LUNs". */
  readonly x: string;
  /** "milliseconds". */
  readonly y: string;
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}

/** What a benchmark found. */
export interface Findings {
  readonly rows: readonly Row[];
  readonly curves?: readonly Curve[];
}

/**
 * Where a figure is measured. `machine`: where it is started. `lab`: in the lab under user-mode Linux, a kernel with SCSI and
 * without emulation. `traced`: in the lab's virtual machine, which has tracing and two processors, and is emulated where KVM
 * does not run.
 */
export type Place = "machine" | "lab" | "traced";

/** A benchmark. */
export interface Figure {
  /** Name for `--only`: "sg-io". */
  readonly name: string;
  readonly where: Place;
  /** Programs it needs on the machine, which not every machine has; the lab has them all. */
  readonly needs?: readonly string[];
  readonly measure: (scale: Scale) => Promise<Findings>;
}
