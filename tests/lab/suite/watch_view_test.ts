/**
 * The live view of `prmig watch` as a person sees it: in a terminal (tmux), on the real kernel, at 80x24 and 200x50.
 */
import assert from "node:assert/strict";
import { labTest, lun, preempt, prmigCommand, register, reserve, run, write } from "../support.ts";
import { sleep } from "../watching.ts";

const K1 = 0x123abcn, K2 = 0xdef0n;

/** A terminal of its own, with a server of its own: one that is about to end may still take a new session, and its end. */
class Terminal {
  static #started = 0;
  private readonly name = `lab-${++Terminal.#started}`;

  private constructor() {}

  /**
   * Starts a shell command; what is printed before it stays above. Whether CI wants colours is not asked, and a shell that
   * would end with its command at Ctrl-C stays.
   */
  static async start(columns: number, rows: number, command: string): Promise<Terminal> {
    const terminal = new Terminal();
    const size = ["-x", String(columns), "-y", String(rows)];
    const script = `unset NO_COLOR; trap : INT; echo before; ${command}; echo "ended $?"; exec sleep 1000`;
    await terminal.#tmux("new-session", "-d", ...size, "sh", "-c", script);
    return terminal;
  }

  /** The lines on the screen, as they stand there. */
  async screen(): Promise<string[]> {
    return (await this.#tmux("capture-pane", "-p")).replace(/\n$/, "").split("\n");
  }

  /** Whether anything on the screen has a colour. */
  async coloured(): Promise<boolean> {
    return (await this.#tmux("capture-pane", "-p", "-e")).includes("\x1b[3");
  }

  /** Waits until the screen fits; fails with what is on it. */
  async until(what: string, fits: (lines: readonly string[]) => boolean, timeoutMs = 90_000): Promise<string[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const lines = await this.screen();
      if (fits(lines)) return lines;
      if (performance.now() > deadline) assert.fail(`${what} is not on the screen:\n${lines.join("\n")}`);
      await sleep(100);
    }
  }

  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }
  async close(): Promise<void> {
    await this.#tmux("kill-server");
  }

  async #tmux(...args: string[]): Promise<string> {
    const env = { LC_ALL: "C.UTF-8", TERM: "xterm-256color" };
    const { code, stdout, stderr } = await run(["tmux", "-L", this.name, "-f", "/dev/null", ...args], { env });
    assert.equal(code, 0, `tmux ${args[0]}: ${stderr}`);
    return stdout;
  }
}

/** A kernel that has much to do forgets names of processes. */
const SENDER = String.raw`by (sg_persist\[\d+\]|process \d+)`;
const shows = (text: string) => (lines: readonly string[]): boolean => lines.some((line) => line.includes(text));
const quoted = (argv: readonly string[]): string => argv.map((word) => `'${word}'`).join(" ");

for (const [columns, rows] of [[80, 24], [200, 50]] as const) {
  labTest(
    `the live view at ${columns}x${rows}: state, history, resizing, scrolling, and what stays on the screen`,
    async () => {
      const { A, B, C } = lun().nexuses;
      const terminal = await Terminal.start(columns, rows, quoted(prmigCommand(["watch", C.sd, lun(1).nexuses.A.sd])));
      try {
        const first = await terminal.until(
          "the state of both LUNs",
          (lines) => lines.filter((line) => line.trimEnd() === "  nobody is registered").length === 2,
        );
        assert.equal(first.length, rows);
        assert.match(first[0]!, /^prmig watch {2}kernel events with keys; read every 1 s +\d\d:\d\d:\d\d$/);
        assert.equal(first.filter((line) => line.includes("generation 0")).length, 2, "both LUNs are shown");
        assert.ok(first.some((line) => line.startsWith("-- history -")));
        assert.match(first.at(-1)!, /^q quit/);

        await register(C, K1);
        await reserve(C, K1, 5);
        await register(B, K2);
        await terminal.until(
          "the holder",
          (lines) =>
            shows("* 0x0000000000123abc  ours  sas 600140000000cccc")(lines) &&
            shows("0x000000000000def0        sas")(lines),
        );
        await preempt(B, K2, K1, 5);
        assert.equal(await write(A), "conflict");
        const lines = await terminal.until(
          "who took it",
          (lines) =>
            shows("* 0x000000000000def0        sas 600140000000bbbb")(lines) &&
            shows("RESERVATION CONFLICT: WRITE(10)")(lines),
        );
        const text = lines.join("\n").replaceAll(/\s+/g, " ");
        assert.match(
          text,
          new RegExp(`${B.sd} PREEMPT 0x000000000000def0 over 0x0000000000123abc WE-RO GOOD ${SENDER}`),
        );
        assert.match(text, /= 0x0000000000123abc \(sas 600140000000cccc\) was preempted by 0x000000000000def0/);
        assert.match(text, /WE-RO 0x000000000000def0 Write Exclusive, Registrants Only for (\d+s|\d+m\d\ds)/);
        for (const line of lines) {
          assert.ok(line.length <= columns);
        }

        assert.equal(await terminal.coloured(), true);

        await terminal.resize(100, 30);
        // Right after a change of size the terminal still shows what was drawn for the old one.
        await terminal.until(
          "the new size",
          (lines) => lines.length === 30 && shows("q quit")(lines.slice(-1)) && shows("* 0x000000000000def0")(lines),
        );
        await terminal.resize(80, 14);
        await terminal.until(
          "a small size, with the holder however little room there is",
          (lines) =>
            lines.length === 14 && shows("q quit")(lines.slice(-1)) && shows("WE-RO  0x000000000000def0")(lines),
        );
        await terminal.press("g");
        await terminal.until("the history scrolled back", shows("back; End follows"));
        await terminal.press("End");
        await terminal.until("the end of it", (lines) => !shows("back; End follows")(lines));

        await terminal.resize(columns, rows);
        await terminal.press("q");
        const last = await terminal.until("the end", shows("ended 0"));
        assert.ok(
          !last.some((line) => line.startsWith("q quit")),
          "the view is gone",
        );
        const kept = last.join("\n").replaceAll(/\s+/g, " ");
        assert.match(kept, /PREEMPT 0x000000000000def0 over 0x0000000000123abc WE-RO GOOD/, "the history stays");
      } finally {
        await terminal.close();
      }
    },
  );
}

labTest("Ctrl-C gives the terminal back, too; NO_COLOR is honoured", async () => {
  const command = quoted(prmigCommand(["watch", lun().nexuses.C.sd]));
  const terminal = await Terminal.start(80, 24, `NO_COLOR=1 ${command}`);
  try {
    await terminal.until("the state", shows("nobody is registered"));
    assert.equal(await terminal.coloured(), false);
    await terminal.press("C-c");
    const last = await terminal.until("the end", shows("ended 130"));
    assert.equal(last[0], "before");
    assert.ok(!shows("error")(last), last.join("\n"));
  } finally {
    await terminal.close();
  }
});
