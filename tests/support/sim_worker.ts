/**
 * A process of its own that uses a simulated LUN's file, told what to do line by line: for tests of concurrency.
 *
 * Reads JSON lines `{job, file, nexus, count}` from stdin and answers each with one JSON line, or with `{error}`.
 */
import { writeAtomically } from "../../lib/files/atomic.ts";
import { LockTimeout, withLock } from "../../lib/files/lock.ts";
import { prOut, type PrOutRequest } from "../../lib/pr/commands.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";
import { openSimNexus, readSimLun } from "../../lib/sim/open.ts";

/** One line of work. */
export interface Job {
  readonly job: keyof typeof JOBS;
  readonly file: string;
  readonly nexus: string;
  readonly count: number;
}

type Work = (job: Job) => Promise<unknown>;

const BLOCK = 512;
const TEST_UNIT_READY = new Uint8Array(6);

const JOBS = {
  /** Registers again and again under a new key; gives how many were GOOD. */
  rekey: onNexus(async (nexus, { count }) => {
    let good = 0;
    for (let i = 1; i <= count; i++) {
      const { status } = await prOut(nexus, { action: "registerAndIgnore", sark: BigInt(i), aptpl: false });
      if (status === 0) good++;
    }
    return good;
  }),
  /** Adds one to block 0, `count` times, by COMPARE AND WRITE; gives how often another was quicker. */
  increment: onNexus(async (nexus, { count }) => {
    let lost = 0;
    for (let done = 0; done < count;) {
      const { dataIn } = await nexus.execute(Uint8Array.of(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0), BLOCK);
      const data = new Uint8Array(2 * BLOCK);
      data.set(dataIn);
      data.set(dataIn, BLOCK);
      const view = new DataView(data.buffer);
      view.setUint32(BLOCK, view.getUint32(0) + 1);
      const { status } = await nexus.execute(Uint8Array.of(0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0), data);
      if (status === 0) done++;
      else lost++;
    }
    return lost;
  }),
  /** Registers under `count`, then reserves; gives the status of RESERVE. */
  reserve: onNexus(async (nexus, { count }) => {
    await send(nexus, { action: "registerAndIgnore", sark: BigInt(count), aptpl: false });
    return await send(nexus, { action: "reserve", rk: BigInt(count), type: 5 });
  }),
  /** Registered under `count`, preempts key 3 - `count`; gives the status. */
  preempt: onNexus((nexus, { count }) =>
    send(nexus, { action: "preempt", rk: BigInt(count), sark: BigInt(3 - count), type: 5 })
  ),
  /** TEST UNIT READY `count` times; gives how many were told something. */
  listen: onNexus(async (nexus, { count }) => {
    let told = 0;
    for (let i = 0; i < count; i++) if ((await nexus.execute(TEST_UNIT_READY, 0)).status === 2) told++;
    return told;
  }),
  /** Registers and clears in turn. */
  clear: onNexus(async (nexus, { count }) => {
    for (let i = 0; i < count; i++) {
      await send(nexus, { action: "registerAndIgnore", sark: 5n, aptpl: false });
      await send(nexus, { action: "clear", rk: 5n });
    }
    return count;
  }),
  /** Reads the file itself `count` times; gives how often the generation went back (never). */
  watch: async ({ file, count }) => {
    let backwards = 0;
    for (let i = 0, last = 0; i < count; i++) {
      const { generation } = await readSimLun(file);
      if (generation < last) backwards++;
      last = generation;
    }
    return backwards;
  },
  /** Opens with `create`; gives the serial number. */
  create: async ({ file, nexus }) => {
    (await openSimNexus(`sim:${file}?nexus=${nexus}&create`)).close();
    return (await readSimLun(file)).device.identity.serial;
  },
  /** Opens; gives the error's message. */
  open: async ({ file, nexus }) => {
    try {
      (await openSimNexus(`sim:${file}?nexus=${nexus}`)).close();
      return "opened";
    } catch (error) {
      return (error as Error).message;
    }
  },
  /** Adds one to a number in a plain file, under its lock. */
  count: async ({ file, count }) => {
    for (let i = 0; i < count; i++) {
      await withLock(file, async () => {
        const number = Number(await Deno.readTextFile(file));
        await writeAtomically(file, new TextEncoder().encode(String(number + 1)), { durable: false });
      });
    }
    return count;
  },
  /** Takes the lock and keeps it for `count` ms after saying so. */
  hold: ({ file, count }) =>
    new Promise((resolve) => {
      void withLock(file, () => {
        resolve("held");
        return new Promise((release) => setTimeout(release, count));
      });
    }),
  /** Waits `count` ms for the lock; gives whether it came. */
  tryLock: async ({ file, count }) => {
    try {
      return await withLock(file, () => "got it", { timeoutMs: count });
    } catch (error) {
      if (error instanceof LockTimeout) return "timeout";
      throw error;
    }
  },
} as const satisfies Record<string, Work>;

function onNexus(work: (nexus: Nexus, job: Job) => Promise<unknown>): Work {
  return async (job) => {
    const nexus = await openSimNexus(`sim:${job.file}?nexus=${job.nexus}`);
    try {
      return await work(nexus, job);
    } finally {
      nexus.close();
    }
  };
}

async function send(nexus: Nexus, request: PrOutRequest): Promise<number> {
  const reply = await prOut(nexus, request);
  return reply.status === 2 && reply.sense[2] === 6 ? (await prOut(nexus, request)).status : reply.status;
}

if (import.meta.main) {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of lines) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      const job = JSON.parse(line) as Job;
      const answer = await JOBS[job.job](job).then((done) => ({ done }), (error) => ({ error: String(error) }));
      await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answer) + "\n"));
    }
  }
}
