/**
 * Two targets over iSCSI, each with three sessions of open-iscsi under three initiator names: the kernel's own (LIO), and
 * tgt in user space. The scenarios are as listed, and a reservation is handed over.
 * `prmig qualify` gives its verdict twice.
 */
import assert from "node:assert/strict";
import { LIO_DEVIATIONS, TGT_DEVIATIONS } from "../../../lib/qualify/deviations.ts";
import type { RunChoices } from "../../../lib/qualify/run.ts";
import { describeResult } from "../../../lib/qualify/verdict.ts";
import { initiatorName, type IscsiPath, logIn, logOut, startIscsid } from "../iscsi/initiator.ts";
import { type Portal, startLio } from "../iscsi/lio.ts";
import { startTgt } from "../iscsi/tgt.ts";
import { type Nodes, onTarget } from "../playing.ts";
import { labTest, pipe, prmig, prmigCommand, sgPersist } from "../support.ts";
import { parseReservation } from "../witness.ts";

const NAMES = ["A", "B", "C"] as const;
const K = 0x123abcn;
const SG_UNIT_ATTENTION = 6;

interface Target {
  readonly name: string;
  readonly choices: RunChoices;
  start(): Promise<{ portal: Portal; stop(): Promise<void> }>;
}

const TARGETS: readonly Target[] = [
  {
    name: "LIO",
    choices: { kinds: ["lio"], deviations: LIO_DEVIATIONS },
    start: async () => {
      const portal = await startLio("127.0.0.1:3260", NAMES.map(initiatorName));
      return { portal, stop: () => Promise.resolve() };
    },
  },
  {
    name: "tgt",
    choices: { kinds: ["tgt"], deviations: TGT_DEVIATIONS, registerAndMove: false, preemptAndAbort: false },
    start: () => startTgt("127.0.0.1:3270"),
  },
];

let iscsid: Promise<void> | undefined;

for (const { name, choices, start } of TARGETS) {
  labTest(`${name} over iSCSI: the scenarios are as listed, and a reservation moves`, async (t) => {
    await (iscsid ??= startIscsid(initiatorName("A")));
    const { portal, stop } = await start();
    const paths: Record<string, IscsiPath> = {};
    for (const each of NAMES) paths[each] = await logIn(each, portal);
    const { A, B, C } = paths as Record<(typeof NAMES)[number], IscsiPath>;
    const nodes: Nodes = { A: A.sg, B: B.sg, C: C.sg };
    try {
      await t.step("as the standard wants, or as listed", async () => {
        const failed = (await onTarget(nodes, choices)).filter(({ verdict }) => verdict === "fail");
        assert.ok(failed.length === 0, failed.map(describeResult).join("\n\n"));
      });
      for (const type of [5, 8, 1]) {
        await t.step(`prmig send | recv, type ${type}`, () => handOver(A, B, C, type));
      }
      await t.step("prmig qualify: fit with limits, and again", async () => {
        await clear(C);
        const reports = [await qualify(nodes), await qualify(nodes)];
        const [first, again] = reports.map(({ verdict, obstacles, scenarios }) => ({ verdict, obstacles, scenarios }));
        assert.deepEqual([first!.verdict, first!.obstacles], ["fit with limits", []]);
        assert.deepEqual(again, first);
        console.log(
          `qualify on ${name} over iSCSI: ${reports.map(({ seconds }) => `${seconds.toFixed(1)} s`).join(", ")}`,
        );
      });
    } finally {
      for (const each of NAMES) await logOut(each, portal);
      await stop();
    }
  });
}

interface Report {
  readonly verdict: string;
  readonly obstacles: readonly unknown[];
  readonly scenarios: readonly { readonly id: string; readonly verdict: string }[];
  readonly seconds: number;
}

async function qualify({ A, B, C }: Nodes): Promise<Report> {
  const { code, stdout, stderr } = await prmig(["qualify", A, B, C, "--json"], { timeoutMs: 180_000 });
  assert.equal(code, 1, stderr); // fit with limits
  return JSON.parse(stdout);
}

async function out(...args: string[]): Promise<void> {
  let ended = await sgPersist(["--out", ...args]);
  if (ended.code === SG_UNIT_ATTENTION) ended = await sgPersist(["--out", ...args]);
  assert.equal(ended.code, 0, ended.stderr);
}

/** Nobody is registered any more. */
async function clear({ sg }: IscsiPath): Promise<void> {
  await out("--register-ignore", "--param-sark=0xcccc", sg);
  await out("--clear", "--param-rk=0xcccc", sg);
}

/** From A to B; C is registered beside them and stays so. */
async function handOver(A: IscsiPath, B: IscsiPath, C: IscsiPath, type: number): Promise<void> {
  const key = `0x${K.toString(16)}`;
  await clear(C);
  await out("--register", "--param-sark=0xcccc", C.sg);
  await out("--register", `--param-sark=${key}`, A.sg);
  await out("--reserve", `--param-rk=${key}`, `--prout-type=${type}`, A.sg);
  const { left, right } = pipe(prmigCommand(["send", A.sd]), prmigCommand(["recv", B.sd]));
  const ends = await Promise.all([left.finished, right.finished]);
  assert.deepEqual(ends.map(({ code }) => code), [0, 0], ends.map(({ stderr }) => stderr).join("\n---\n"));
  const read = async (what: string, node: string): Promise<string> => {
    await sgPersist(["--in", what, node]); // takes what waits
    const { code, stdout, stderr } = await sgPersist(["--in", what, node]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.deepEqual(parseReservation(await read("--read-reservation", C.sg)), { key: type === 8 ? 0n : K, type });
  const keys = [...(await read("--read-keys", C.sg)).matchAll(/^\s+(0x[0-9a-f]+)$/gm)].map(([, each]) => each);
  assert.deepEqual(keys.sort(), [key, "0xcccc"].sort());
  // That it is B who holds under the key, and A nobody any more: only the holder may write under type 1.
  const release = await sgPersist(["--out", "--register", `--param-rk=${key}`, "--param-sark=0", B.sg]);
  assert.equal(release.code, 0, `B is not registered under the key: ${release.stderr}`);
}
