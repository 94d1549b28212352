/**
 * One of the lab's hosts: a virtual machine of its own, the program in it that does what it is told (agent.ts), and its
 * power switch.
 *
 * @module
 */
import type { LabKit } from "../provision.ts";
import { LabDied, LabUnavailable } from "../host/command.ts";
import { runMachine } from "../host/machine.ts";
import type { Finished, Running } from "../run.ts";
import type { Order, Word } from "./agent.ts";

const AGENT = "tests/lab/hosts/agent.ts";
const BOOT_MS = 240_000;
const MEMORY_MIB = 768;

/** What all hosts are made of. */
export interface HostKit {
  readonly kit: LabKit;
  readonly accelerator: "kvm" | "tcg";
  readonly repository: string;
  readonly env: Record<string, string>;
  /** A directory below which each host has its own. */
  readonly out: string;
  readonly timeoutMs: number;
}

interface Program {
  readonly seen: { stdout: string; stderr: string };
  readonly end: PromiseWithResolvers<Finished>;
}

/** A host that is on or off. */
export class Host {
  readonly #programs = new Map<number, Program>();
  #count = 0;
  #power = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #line: ((order: Order) => Promise<void>) | null = null;

  constructor(readonly name: string, readonly kit: HostKit, readonly devices: readonly string[]) {}

  /** Boots; resolves when programs can be started. */
  async powerOn(): Promise<void> {
    const out = `${this.kit.out}/${this.name}`;
    await Deno.mkdir(out, { recursive: true });
    for (const stale of ["started", "exit-code", "failure"]) {
      await Deno.remove(`${out}/${stale}`).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
    await Deno.copyFile(`${this.kit.out}/prmig.js`, `${out}/prmig.js`);
    this.#power = new AbortController();
    const ready = Promise.withResolvers<void>();
    this.#programs.set(0, { seen: { stdout: "", stderr: "" }, end: Promise.withResolvers() });
    const log = await Deno.open(`${out}/agent.log`, { create: true, append: true });
    const { env, kit, accelerator, repository, timeoutMs } = this.kit;
    this.#ended = runMachine(
      {
        ...{ kit, accelerator, repository, timeoutMs, env, out: await Deno.realPath(out) },
        command: [Deno.execPath(), "run", "-A", "--no-check", "--cached-only", AGENT],
        interactive: false,
        memoryMiB: MEMORY_MIB,
        processors: 1,
        devices: this.devices,
        luns: false,
        stdin: async (port) => {
          this.#line = async (order) => {
            const bytes = new TextEncoder().encode(`${JSON.stringify(order)}\n`);
            for (let at = 0; at < bytes.length;) at += await port.write(bytes.subarray(at));
          };
          await new Promise(() => {}); // until the machine ends
        },
        signal: this.#power.signal,
      },
      this.#hear(() => ready.resolve()),
      async (bytes) => {
        await log.write(bytes);
      },
    ).then(
      () => ready.reject(new LabDied(`${this.name} ended`)),
      (error) => {
        if (!(error instanceof LabDied || error instanceof LabUnavailable)) throw error;
        ready.reject(error);
      },
    ).finally(() => {
      log.close();
      this.#line = null;
      for (const { end, seen } of this.#programs.values()) end.resolve({ code: 255, signal: null, ...seen });
      this.#programs.clear();
    });
    const timer = setTimeout(() => ready.reject(new LabDied(`${this.name} says nothing after ${BOOT_MS} ms`)), BOOT_MS);
    await ready.promise.finally(() => clearTimeout(timer));
  }

  /** Programs can be started. */
  get isOn(): boolean {
    return this.#line !== null;
  }

  /** Ends QEMU as a power cut would: nothing in the machine is told. What ran there finishes with code 255. */
  async powerCut(): Promise<void> {
    const pid = Number(await Deno.readTextFile(`${this.kit.out}/${this.name}/qemu.pid`));
    Deno.kill(pid, "SIGKILL");
    await this.#ended;
  }

  /** Ends the machine, whatever its state, at the end of a test. */
  async end(): Promise<void> {
    this.#power.abort();
    await this.#ended;
  }

  /** Starts a program. It has no standard input. */
  start(argv: readonly string[], env: Record<string, string> = {}): Running {
    if (this.#line === null) throw new LabDied(`${this.name} has no power`);
    const id = ++this.#count;
    const program: Program = { seen: { stdout: "", stderr: "" }, end: Promise.withResolvers() };
    this.#programs.set(id, program);
    void this.#order({ id, argv, env });
    return {
      pid: id,
      finished: program.end.promise,
      kill: (signal) => void this.#order({ id, kill: signal }),
      printed: () => ({ ...program.seen }),
    };
  }

  /** Runs a program to its end. */
  run(argv: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
    return this.start(argv, env).finished;
  }

  /** Runs a line of shell to its end. */
  shell(line: string, env: Record<string, string> = {}): Promise<Finished> {
    return this.run(["sh", "-c", line], env);
  }

  /** A machine that loses its power meanwhile ends all its programs, also this one. */
  async #order(order: Order): Promise<void> {
    try {
      await this.#line?.(order);
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }

  #hear(ready: () => void): (bytes: Uint8Array) => Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    return (bytes) => {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const word: Word = JSON.parse(line);
        if (word.id === 0) ready();
        const program = this.#programs.get(word.id);
        if (program === undefined) continue;
        if ("stdout" in word) program.seen.stdout += word.stdout;
        else if ("stderr" in word) program.seen.stderr += word.stderr;
        else {
          this.#programs.delete(word.id);
          program.end.resolve({ code: word.code, signal: word.signal, ...program.seen });
        }
      }
      return Promise.resolve();
    };
  }
}
