/**
 * How soon a change of a LUN is on somebody's screen, and what following it costs: `prmig watch` against sg_persist in a
 * shell loop, every second and every 50 ms.
 *
 * A C program registers a new key and stamps the end of its command; the time of a line is that at which its bytes came
 * out of the follower's pipe. The pauses between the commands have different lengths, so that they fall anywhere in the
 * loops' intervals.
 *
 * @module
 */
import { wallUs } from "../../lib/sys/clock.ts";
import { lun, prmigCommand } from "../../tests/lab/support.ts";
import { compile } from "../../tests/lab/watching.ts";
import type { Figure, Row, Sample, Scale } from "../figure.ts";
import { processorSeconds, ran, sample } from "../measure.ts";

const EVERY_SECOND = "sg_persist every 1 s", EVERY_50_MS = "sg_persist every 50 ms";
const COMMANDS = { full: 25, small: 2 };
const PAUSE_MS = 700;
const PATIENCE_MS = 60_000;

/** What following a LUN gave and cost. */
interface Following {
  readonly delaysMs: Sample;
  /** Percent of one processor, children included. */
  readonly load: Sample;
}

/** Watch. */
export const watch: Figure = {
  name: "watch",
  where: "lab",
  measure: async (scale) => {
    const { C } = lun().nexuses;
    const program = await compile("pr_out");
    const loop = (seconds: string): string[] => [
      "sh",
      "-c",
      `while :; do sg_persist -n -i -s ${C.sd}; sleep ${seconds}; done`,
    ];
    const slow = await follow(loop("1"), "PR generation", program, 0xfeed_0005_0000n, scale);
    const fast = await follow(loop("0.05"), "PR generation", program, 0xfeed_0006_0000n, scale);
    const ours = await follow(
      prmigCommand(["watch", "--json", C.sd]),
      '"source":"poll"',
      program,
      0xfeed_0007_0000n,
      scale,
    );
    return { rows: rowsOf(ours, slow, fast) };
  },
};

function rowsOf(ours: Following, slow: Following, fast: Following): Row[] {
  return [
    {
      figure: "watch: end of a command to the line that tells it",
      unit: "ms",
      prmig: ours.delaysMs,
      peers: { [EVERY_SECOND]: slow.delaysMs, [EVERY_50_MS]: fast.delaysMs },
      targets: [
        { says: "20 x sooner than every 1 s", against: EVERY_SECOND, atMost: 1 / 20 },
        { says: "no later than every 50 ms", against: EVERY_50_MS, atMost: 1 },
      ],
    },
    {
      figure: "watch: processor time while following",
      unit: "% of one processor",
      prmig: ours.load,
      peers: { [EVERY_SECOND]: slow.load, [EVERY_50_MS]: fast.load },
      targets: [
        { says: "less than every 1 s", against: EVERY_SECOND, atMost: 1 },
        { says: "less than every 50 ms", against: EVERY_50_MS, atMost: 1 },
      ],
      note: "A new key about every 0.7 s, and watch reads the LUN after each; idle it costs nothing.",
    },
  ];
}

/** Registers new keys through nexus A, and waits for each to be told. */
async function follow(
  argv: readonly string[],
  beginning: string,
  program: string,
  firstKey: bigint,
  scale: Scale,
): Promise<Following> {
  const { A } = lun().nexuses;
  const follower = new Follower(argv);
  try {
    await follower.tells(beginning);
    const [begun, spent] = [performance.now(), processorSeconds(follower.pid)];
    const delays: number[] = [];
    const count = scale.small ? COMMANDS.small : COMMANDS.full;
    for (let i = 0; i < count; i++) {
      const key = firstKey + BigInt(i);
      const told = follower.tells(key.toString(16));
      const stamp = await ran([program, A.sd, "6", "0", "0", `0x${key.toString(16)}`], { PR_OUT_STAMP: "1" });
      delays.push((await told - Number(stamp)) / 1000);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (0.5 + i / count)));
    }
    const seconds = (performance.now() - begun) / 1000;
    const load = 100 * (processorSeconds(follower.pid) - spent) / seconds;
    return { delaysMs: sample(delays), load: sample([load]) };
  } finally {
    await follower.stop();
  }
}

/** A program that tells what it finds, and when it did. */
class Follower {
  readonly #child: Deno.ChildProcess;
  readonly #waiting = new Set<{ readonly text: string; readonly told: (atUs: number) => void }>();
  readonly #done: Promise<void>;
  #text = "";

  constructor([program, ...args]: readonly string[]) {
    this.#child = new Deno.Command(program!, { args, stdin: "null", stdout: "piped", stderr: "inherit" }).spawn();
    this.#done = this.#read();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Wall clock, in microseconds, at which this text came. Rejects when it does not come. */
  async tells(text: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const wait = { text, told: resolve };
    this.#waiting.add(wait);
    const alarm = setTimeout(() => reject(new Error(`${text} was not told:\n${this.#text.slice(-2000)}`)), PATIENCE_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(alarm);
      this.#waiting.delete(wait);
    }
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await Promise.all([this.#child.status, this.#done]);
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stdout) {
      const atUs = wallUs();
      this.#text += decoder.decode(bytes, { stream: true });
      for (const { text, told } of this.#waiting) if (this.#text.includes(text)) told(atUs);
    }
  }
}
