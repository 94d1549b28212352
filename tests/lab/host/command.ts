/**
 * Runs a program on the machine and gives back what it printed; anything but exit 0 is an error that says all of it.
 *
 * @module
 */

/** The lab cannot be provided or started here; the text says what is missing and what would help. */
export class LabUnavailable extends Error {
  override name = "LabUnavailable";
}

/** The lab ran the command and did not come to its end: a failure, never a skip. */
export class LabDied extends Error {
  override name = "LabDied";
}

export interface CommandOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
}

/** Standard output of `argv`. @throws LabUnavailable if the program is missing or fails */
export async function output(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const [program, ...args] = argv as [string, ...string[]];
  try {
    const { success, code, stdout, stderr } = await new Deno.Command(program, {
      args,
      env: { LC_ALL: "C", ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    if (success) return new TextDecoder().decode(stdout);
    const said = new TextDecoder().decode(stderr).trim() || new TextDecoder().decode(stdout).trim();
    throw new LabUnavailable(`${argv.join(" ")}: exit ${code}: ${said}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new LabUnavailable(`${program}: no such program`);
    throw error;
  }
}

/** A word quoted for the shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
