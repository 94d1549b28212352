/**
 * Several LUNs in one hand-over on the real kernel: all or none.
 */
import assert from "node:assert/strict";
import { extraLuns } from "../init/luns.ts";
import {
  drainAttentions,
  type LabLun,
  labTest,
  pipe,
  prmig,
  prmigCommand,
  readState,
  register,
  reserve,
  sgPersist,
} from "../support.ts";

const K = 0x5eed0000n;
const COUNT = 8;
const TYPES = [5, 8, 1, 0, 7, 6, 3, 5];
/** Wide: a move does not wait for its end, and a busy machine is slow. */
const LIMIT = ["--timeout", "2m"];
/** Over a one-way pipe a source hears of no refusal; it waits that long. */
const SHORT = ["--timeout", "20s"];

labTest(`${COUNT} LUNs of all types move in one hand-over, and all stay when one cannot move`, async () => {
  const { luns, remove } = await extraLuns(COUNT);
  try {
    for (const [i, { nexuses: { A } }] of luns.entries()) {
      await register(A, K + BigInt(i));
      if (TYPES[i] !== 0) await reserve(A, K + BigInt(i), TYPES[i]!);
    }
    await drainAttentions();

    // The last one refuses: the destination is registered there already, under another key.
    const last = luns.at(-1)!.nexuses.B;
    await register(last, 0xbbbbn);
    const refused = await handOver(luns, "A", "B", SHORT);
    assert.deepEqual(refused.map((f) => f.code), [1, 3], refused.map((f) => f.stderr).join("\n---\n"));
    await sgPersist(["--out", "--register", "--param-rk=0xbbbb", last.sg]);
    await allAt(luns, "A");

    const moved = await handOver(luns, "A", "B");
    assert.deepEqual(moved.map((f) => f.code), [0, 0], moved.map((f) => f.stderr).join("\n---\n"));
    await allAt(luns, "B");

    // And back over a stream that runs both ways, the LUNs found by their designators.
    const recv = prmigCommand(["recv", ...luns.map(({ nexuses }) => nexuses.A.sd), ...LIMIT]).join(" ");
    const back = await prmig(["send", ...luns.map(({ nexuses }) => nexuses.B.sg), "--to", recv, ...LIMIT], {
      timeoutMs: 300_000,
    });
    assert.equal(back.code, 0, back.stderr);
    await allAt(luns, "A");
  } finally {
    await remove();
  }
});

async function handOver(
  luns: readonly LabLun[],
  from: "A" | "B",
  to: "A" | "B",
  limit = LIMIT,
): Promise<{ code: number; stderr: string }[]> {
  const { left, right } = pipe(
    prmigCommand(["send", ...luns.map(({ nexuses }) => nexuses[from].sd), ...limit]),
    prmigCommand(["recv", ...luns.map(({ nexuses }) => nexuses[to].sd), ...limit]),
    { timeoutMs: 300_000 },
  );
  return await Promise.all([left.finished, right.finished]);
}

async function allAt(luns: readonly LabLun[], name: "A" | "B"): Promise<void> {
  for (const [i, { nexuses }] of luns.entries()) {
    const { registrants, reservation } = await readState(nexuses.C);
    const seen = registrants.map(({ key, initiatorPort, holder }) => ({ key, initiatorPort, holder }));
    const { initiatorPort } = nexuses[name];
    assert.deepEqual(seen, [{ key: K + BigInt(i), initiatorPort, holder: TYPES[i] !== 0 }], `LUN ${i}`);
    assert.equal(reservation?.type ?? 0, TYPES[i], `LUN ${i}`);
  }
}
