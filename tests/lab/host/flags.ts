/**
 * The lab tasks' own flags, before the command or deno test's arguments. Pure.
 *
 * @module
 */

export interface LabFlags {
  /** Seconds until the machine is ended; an interactive shell has a day. */
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  /** "auto" tries KVM, and else emulates; "um" is user-mode Linux, in place of QEMU. */
  readonly accelerator: "auto" | "kvm" | "tcg" | "um";
  /** Where logs and results go; a fresh directory if undefined. */
  readonly out: string | undefined;
}

const ACCELERATORS: readonly LabFlags["accelerator"][] = ["auto", "kvm", "tcg", "um"];

/** A flag that cannot be what was meant. */
export class FlagError extends Error {
  override name = "FlagError";
}

export const FLAG_HELP = `  --timeout=SECONDS   end the machine after this time
  --memory=MIB        its memory (2048)
  --accel=WHAT        auto, kvm, tcg or um; auto tries KVM and falls back, um is user-mode Linux
  --out=DIRECTORY     where logs and results go, /lab-out inside`;

/**
 * Takes our flags from the front of `args`; the rest begins with the first word that is none of them, or after `--`.
 *
 * @throws FlagError for a flag of ours with a value that makes no sense
 */
export function parseFlags(
  args: readonly string[],
  defaults: Partial<LabFlags> = {},
): { flags: LabFlags; rest: string[] } {
  const flags = { timeoutSeconds: 600, memoryMiB: 2048, accelerator: "auto", out: undefined, ...defaults };
  const rest = [...args];
  if (rest[0] === "--") rest.shift(); // deno task passes it on
  for (;;) {
    const [word, name, value] = /^--(timeout|memory|accel|out)=(.*)$/.exec(rest[0] ?? "") ?? [];
    if (word === undefined) break;
    rest.shift();
    if (name === "timeout") flags.timeoutSeconds = positive(word, value!);
    else if (name === "memory") flags.memoryMiB = positive(word, value!);
    else if (name === "out") flags.out = value!;
    else flags.accelerator = value!;
  }
  if (rest[0] === "--") rest.shift();
  const { accelerator } = flags;
  if (!ACCELERATORS.some((known) => known === accelerator)) {
    throw new FlagError(`--accel=${accelerator}: ${ACCELERATORS.join(", ")}`);
  }
  return { flags: { ...flags, accelerator: accelerator as LabFlags["accelerator"] }, rest };
}

function positive(word: string, value: string): number {
  if (!/^[1-9]\d*$/.test(value)) throw new FlagError(`${word}: a whole number above 0`);
  return Number(value);
}
