/**
 * What the suite's tests share: the built file, roots to install into, programs run and judged.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Tool, within } from "./roots.ts";

/** A word of the environment that run_suite.ts sets. */
function given(name: string): string {
  const value = Deno.env.get(name);
  if (value === undefined) throw new Error(`${name} is not set: run deno task test:ship`);
  return value;
}

/** The built file. */
export const BINARY: string = given("PRMIG_SHIP_BINARY");
/** A directory to work in, removed at the end. */
export const WORK: string = given("PRMIG_SHIP_WORK");
/** The repository. */
export const REPOSITORY: string = new URL("../../", import.meta.url).pathname;
/** systemd-nspawn. */
export const NSPAWN: Tool = JSON.parse(given("PRMIG_SHIP_NSPAWN"));

/** How a program ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly clearEnv?: boolean;
  readonly cwd?: string;
}

/** Runs a program to its end. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [program, ...args] = argv as [string, ...string[]];
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
    env: { LC_ALL: "C.UTF-8", ...options.env },
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs a program that has to succeed; gives what it printed. */
export async function demand(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options);
  assert.equal(code, 0, `${argv.join(" ")}: exit ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

/** A root of one's own. */
export class Root {
  private constructor(readonly path: string) {}

  /** A copy of the clean root, or of the workshop. */
  static async copy(kind: "clean" | "workshop"): Promise<Root> {
    const original = given(kind === "clean" ? "PRMIG_SHIP_CLEAN" : "PRMIG_SHIP_WORKSHOP");
    const path = await Deno.makeTempDir({ dir: WORK, prefix: `${kind}-` });
    await demand(["cp", "-a", "--reflink=auto", `${original}/.`, path]);
    return new Root(path);
  }

  /** Runs a program in it, as root, with the environment of a login. */
  run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const login = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", TERM: "dumb" };
    return run([...within(this.path), ...argv], { clearEnv: true, env: { ...login, ...env } });
  }

  /** Runs a program in it that has to succeed; gives what it printed. */
  async demand(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, env);
    assert.equal(code, 0, `in the root: ${argv.join(" ")}: exit ${code}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Puts a file of the machine into it. */
  async put(file: string, path: string): Promise<void> {
    await Deno.copyFile(file, this.path + path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
