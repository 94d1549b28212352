/** A made-up tracefs for tests: control files in memory, a log of what was done, and failures to order. */
import type { TraceFiles } from "../../../../lib/snoop/kernel/trace_files.ts";

/** An error as the runtime makes it. */
export function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The tree, mounted at /t. */
export class FakeTracefs implements TraceFiles {
  /** Everything that was done, in order: `write trace_clock mono`, paths without the root. */
  readonly log: string[] = [];
  readonly directories = new Set(["/t", "/t/instances"]);
  readonly contents = new Map<string, string>();
  /** Probe definitions, as `kprobe_events` lists them. */
  probes: string[] = [];
  /** `write kprobe_events p:.../sg_ioctl` begins with the key: that operation fails with the code. */
  readonly failures = new Map<string, string>();
  format = "field:unsigned int opcode;\tfield:int result;";

  write(path: string, text: string): void {
    this.#do(`write ${short(path)} ${text.trim()}`);
    if (path.endsWith("/kprobe_events")) return this.#define(text.trim());
    this.contents.set(path, text);
  }

  #define(line: string): void {
    const [head] = line.split(" ");
    if (!line.startsWith("-:")) {
      if (this.probes.some((probe) => probe.startsWith(head!))) throw failure("EEXIST");
      this.probes.push(line);
      return;
    }
    const name = `p:${line.slice(2)} `;
    if (!this.probes.some((probe) => probe.startsWith(name))) throw failure("ENOENT");
    this.probes = this.probes.filter((probe) => !probe.startsWith(name));
  }

  read(path: string): string {
    this.#fail(`read ${short(path)}`);
    if (path.endsWith("/kprobe_events")) return this.probes.map((probe) => probe + "\n").join("");
    if (path.endsWith("/format")) return this.format;
    const content = this.contents.get(path);
    if (content === undefined) throw failure("ENOENT");
    return content;
  }

  list(path: string): string[] {
    this.#fail(`list ${short(path)}`);
    if (!this.directories.has(path)) throw failure("ENOENT");
    return [...this.directories].filter((d) => d.startsWith(path + "/")).map((d) => d.slice(path.length + 1));
  }

  makeDirectory(path: string): void {
    this.#do(`mkdir ${short(path)}`);
    this.directories.add(path);
  }

  removeDirectory(path: string): void {
    this.#do(`rmdir ${short(path)}`);
    if (!this.directories.delete(path)) throw failure("ENOENT");
  }

  #do(what: string): void {
    this.#fail(what);
    this.log.push(what);
  }

  #fail(what: string): void {
    for (const [begin, code] of this.failures) {
      if (!what.startsWith(begin)) continue;
      if (code.endsWith("!")) this.failures.delete(begin); // once
      throw failure(code.replace("!", ""));
    }
  }
}

function short(path: string): string {
  return path.replace(/^\/t\/?/, "").replace(/^instances\/prmig-7-100\//, "I/");
}
