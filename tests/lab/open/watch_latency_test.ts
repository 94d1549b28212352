/**
 * How soon a change is on the screen, and what that costs: `prmig watch` against sg_persist in a shell loop, in one run.
 *
 * Times are those of an emulated machine; only their ratios mean something.
 */
import assert from "node:assert/strict";
import { lun, prmigCommand, run, type Running, start } from "../support.ts";
import { compile, hexKey, sleep, watchTest } from "../watching.ts";

const ROUNDS = 12;
const PAUSE_MS = 700;

/** What a way to follow a LUN cost and gave. */
interface Result {
  /** Milliseconds from the end of a command to the line that tells it; the median. */
  readonly medianMs: number;
  /** Seconds of processor time for each second of running, children included. */
  readonly load: number;
}

/** Processor time of a process and of its children that have ended, in seconds. */
function processorTime(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  return fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) / 100;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Registers new keys through A, and waits for each to be printed by `follower`. */
async function measure(follower: Running, program: string, firstKey: bigint): Promise<Result> {
  const { A } = lun().nexuses;
  const [begin, spent] = [performance.now(), processorTime(follower.pid)];
  const delays: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const key = firstKey + BigInt(i);
    const sent = await run([program, A.sd, "6", "0", "0", hexKey(key)], { env: { PR_OUT_STAMP: "1" } });
    delays.push(await shown(follower, key.toString(16)) - Number(sent.stdout) / 1000);
    await sleep(PAUSE_MS * (0.5 + i / ROUNDS)); // at no fixed place in anybody's interval
  }
  const seconds = (performance.now() - begin) / 1000;
  const load = (processorTime(follower.pid) - spent) / seconds;
  follower.kill("SIGTERM");
  await follower.finished;
  return { medianMs: median(delays), load };
}

/** Wall clock in milliseconds at which a text was on standard output. */
async function shown(follower: Running, text: string): Promise<number> {
  for (const until = performance.now() + 20_000;;) {
    if (follower.printed().stdout.includes(text)) return Date.now();
    assert.ok(performance.now() < until, `${text} was not printed: ${follower.printed().stderr}`);
    await sleep(1);
  }
}

watchTest(
  "a change is told 20 times sooner than by reading every second, no later than every 50 ms, for less",
  async () => {
    const { C } = lun().nexuses;
    const program = await compile("pr_out");
    const loop = (seconds: string): Running =>
      start(["sh", "-c", `while :; do sg_persist -n -i -s ${C.sd}; sleep ${seconds}; done`], { timeoutMs: 120_000 });
    const slow = await measure(loop("1"), program, 0x5_0000n);
    const fast = await measure(loop("0.05"), program, 0x6_0000n);
    const follower = start(prmigCommand(["watch", "--json", C.sd]), { timeoutMs: 120_000 });
    await shown(follower, '"source":"poll"');
    const watch = await measure(follower, program, 0x7_0000n);
    const told = (name: string, { medianMs, load }: Result): string =>
      `${name}: median ${medianMs.toFixed(1)} ms, ${(100 * load).toFixed(1)} % of a processor`;
    console.log([told("every 1 s", slow), told("every 50 ms", fast), told("watch", watch)].join("\n"));
    assert.ok(watch.medianMs * 20 <= slow.medianMs, "20 times sooner than every second");
    assert.ok(watch.medianMs <= fast.medianMs, "no later than every 50 ms");
    assert.ok(watch.load < fast.load, "for less than every 50 ms");
  },
);
