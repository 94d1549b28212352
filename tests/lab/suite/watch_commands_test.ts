/**
 * `prmig watch` on the real kernel: every way to send a PERSISTENT RESERVE OUT is seen exactly once, in order, with its
 * keys and its status.
 *
 * The watch looks at the LUN through nexus C, so that it takes no unit attention from A and B, which send.
 */
import assert from "node:assert/strict";
import { type LabPath, lun, run } from "../support.ts";
import { commands, compile, hexKey, number, startWatch, watchTest } from "../watching.ts";

const K1 = 0x1111aaaa22220001n, K2 = 0x3333bbbb44440002n;

/** One command, and what is to be told of it. */
interface Step {
  readonly by: "A" | "B";
  readonly action: "register" | "reserve" | "preempt" | "release" | "clear";
  readonly rk: bigint;
  readonly sark?: bigint;
  readonly status: string;
}

/** Registers, reserves, fails, preempts, meets the attention, conflicts, releases, clears. */
const STEPS: readonly Step[] = [
  { by: "A", action: "register", rk: 0n, sark: K1, status: "GOOD" },
  { by: "A", action: "reserve", rk: K1, status: "GOOD" },
  { by: "B", action: "reserve", rk: K2, status: "RESERVATION CONFLICT" },
  { by: "B", action: "register", rk: 0n, sark: K2, status: "GOOD" },
  { by: "B", action: "preempt", rk: K2, sark: K1, status: "GOOD" },
  { by: "A", action: "reserve", rk: K1, status: "CHECK CONDITION" },
  { by: "A", action: "reserve", rk: K1, status: "RESERVATION CONFLICT" },
  { by: "B", action: "release", rk: K2, status: "GOOD" },
  { by: "B", action: "clear", rk: K2, status: "GOOD" },
];

const CODES = { register: 0, reserve: 1, release: 2, clear: 3, preempt: 4 } as const;

function expected(path: LabPath, { action, rk, sark, status }: Step): string {
  const newKey = action === "register" || action === "preempt" ? hexKey(sark!) : null;
  return `${path.sd} ${action.toUpperCase()} ${hexKey(rk)} ${newKey} ${status}`;
}

/** Ways to send a step, and the node they use. */
type Sender = (path: LabPath, step: Step) => Promise<void>;

const ways: Record<string, () => Promise<Sender>> = {
  "sg_persist on /dev/sdX": () => Promise.resolve(sgPersistOn(({ sd }) => sd)),
  "sg_persist on /dev/sgN": () => Promise.resolve(sgPersistOn(({ sg }) => sg)),
  "a C program with SG_IO on /dev/sdX": () => sgIoOn("sd"),
  "a C program with SG_IO on /dev/sgN": () => sgIoOn("sg"),
  "asynchronous write and read on /dev/sgN": () => sgIoOn("sg", "1", "async"),
  "sg_persist on /dev/bsg": () => Promise.resolve(sgPersistOn(({ hctl }) => `/dev/bsg/${hctl}`)),
  "the kernel's own ioctls": async () => {
    const program = await compile("pr_ioctl");
    return async ({ sd }, { action, rk, sark }) => {
      const keys = action === "register" || action === "preempt" ? [rk, sark!] : [rk];
      const type = action === "register" || action === "clear" ? [] : ["3"];
      await number([program, sd, action, ...keys.map(hexKey), ...type]);
    };
  },
};

function sgPersistOn(node: (path: LabPath) => string): Sender {
  return async (path, { action, rk, sark = 0n }) => {
    const type = action === "register" || action === "clear" ? [] : ["--prout-type=5"];
    const keys = [`--param-rk=${rk.toString(16)}`, `--param-sark=${sark.toString(16)}`];
    await run(["sg_persist", "--no-inquiry", "--out", `--${action}`, ...keys, ...type, node(path)]);
  };
}

async function sgIoOn(node: "sd" | "sg", ...how: string[]): Promise<Sender> {
  const program = await compile("pr_out");
  return async (path, { action, rk, sark = 0n }) => {
    await number([program, path[node], String(CODES[action]), "5", hexKey(rk), hexKey(sark), ...how]);
  };
}

watchTest("watch tells every PERSISTENT RESERVE OUT exactly once, in order, with keys and status", async (t) => {
  const { A, B, C } = lun().nexuses;
  const watching = await startWatch(["--poll", "0", C.sd]);
  let before = 0;
  for (const [name, make] of Object.entries(ways)) {
    await t.step(name, async () => {
      const send = await make();
      for (const step of STEPS) await send(step.by === "A" ? A : B, step);
      const told = await watching.until(
        `${STEPS.length} commands`,
        (now) => commands(now).length >= before + STEPS.length,
      );
      assert.deepEqual(commands(told).slice(before), STEPS.map((step) => expected(step.by === "A" ? A : B, step)));
      before += STEPS.length;
    });
  }
  const { code } = await watching.stop();
  assert.equal(code, 130);
  const times = watching.told().map(({ time }) => time);
  assert.deepEqual(times, times.toSorted(), "events in order of their times");
});
