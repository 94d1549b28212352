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
import { processorSeconds, ran, sample, timed } from "../measure.ts";
import { round } from "../table.ts";

const EVERY_SECOND = "sg_persist every 1 s", EVERY_50_MS = "sg_persist every 50 ms";
const COMMANDS = { full: 25, small: 2 };
const IDLE_MS = { full: 10_000, small: 100 };
/** Commands of the busy time, one every millisecond. */
const BUSY = { full: 3000, small: 20 };
const PAUSE_MS = 700;
const PATIENCE_MS = 60_000;

/** What following a LUN gave and cost. */
interface Following {
  readonly delaysMs: Sample;
  /** Percent of one processor, children included: while nothing happens, with a key now and then, with 1,000 a second. */
  readonly load: { readonly idle: Sample; readonly following: Sample; readonly busy: Sample };
  /** Commands a second that the busy time came to. */
  readonly rate: number;
}

/** Watch. */
export const watch: Figure = {
  name: "watch",
  where: "traced",
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
  const load = (when: string, which: keyof Following["load"], targets: Row["targets"], note?: string): Row => ({
    figure: `watch: processor time ${when}`,
    unit: "% of one processor",
    prmig: ours.load[which],
    peers: { [EVERY_SECOND]: slow.load[which], [EVERY_50_MS]: fast.load[which] },
    targets,
    note,
  });
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
    load(
      "while nothing happens",
      "idle",
      [{ says: "less than every 1 s", against: EVERY_SECOND, atMost: 1 }],
      "Ten seconds from its first line on; watch, too, reads the LUN every second. With --poll 0 it sends nothing.",
    ),
    load("while following", "following", [
      { says: "less than every 1 s", against: EVERY_SECOND, atMost: 1 },
      { says: "less than every 50 ms", against: EVERY_50_MS, atMost: 1 },
    ], "A new key about every 0.7 s, and watch reads the LUN after each."),
    load(
      "at 1,000 PR OUTs a second",
      "busy",
      [],
      `In fact ${round(ours.rate)} a second here, ${round(slow.rate)} and ${
        round(fast.rate)
      } with the loops. watch tells ` +
        "each command; a loop shows what the last one left.",
    ),
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
    const load = async (work: () => Promise<unknown>): Promise<Sample> => {
      const [begun, spent] = [performance.now(), processorSeconds(follower.pid)];
      await work();
      return sample([100 * (processorSeconds(follower.pid) - spent) * 1000 / (performance.now() - begun)]);
    };
    const register = (key: bigint, env: Record<string, string>, count = 1): Promise<string> =>
      ran([program, A.sd, "6", "0", "0", `0x${key.toString(16)}`, `${count}`], env);
    const size = scale.small ? "small" : "full";
    const idle = await load(() => pause(IDLE_MS[size]));
    const delays: number[] = [];
    const following = await load(async () => {
      for (let i = 0; i < COMMANDS[size]; i++) {
        const key = firstKey + BigInt(i);
        const told = follower.tells(key.toString(16));
        const stamp = await register(key, { PR_OUT_STAMP: "1" });
        delays.push((await told - Number(stamp)) / 1000);
        await pause(PAUSE_MS * (0.5 + i / COMMANDS[size]));
      }
    });
    let ms = NaN;
    const busy = await load(async () => {
      ms = await timed(() => register(firstKey + 0x1000n, { PR_OUT_EVERY_US: "1000" }, BUSY[size]));
    });
    return { delaysMs: sample(delays), load: { idle, following, busy }, rate: BUSY[size] * 1000 / ms };
  } finally {
    await follower.stop();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
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
