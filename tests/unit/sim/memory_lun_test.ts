import assert from "node:assert/strict";
import { prIn, prOut } from "../../../lib/pr/commands.ts";
import { decodeFullStatus } from "../../../lib/pr/full_status.ts";
import { decodeReadReservation } from "../../../lib/pr/read_reservation.ts";
import { classify } from "../../../lib/scsi/outcome.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

const K = 0x1122334455667788n;
const X = 0xa5a5000000000001n;

Deno.test("MemoryLun: a reservation moves from one nexus to another by the commit token", async () => {
  const lun = new MemoryLun();
  const [s, d] = [lun.nexus("S"), lun.nexus("D")];
  const good = async (reply: Promise<{ status: number; sense: Uint8Array }>): Promise<void> =>
    assert.equal(classify(await reply as never).kind, "good");
  await good(prOut(s, { action: "register", rk: 0n, sark: K, aptpl: true }));
  await good(prOut(s, { action: "reserve", rk: K, type: 5 }));
  await good(prOut(d, { action: "register", rk: 0n, sark: K, aptpl: true }));
  await good(prOut(s, { action: "register", rk: K, sark: X, aptpl: true }));
  await good(prOut(d, { action: "preempt", rk: K, sark: X, type: 5 }));
  const attention = classify(await prIn(s, "readKeys", 8));
  assert.equal(attention.kind, "unitAttention");
  const reservation = decodeReadReservation((await prIn(s, "readReservation", 24)).dataIn);
  assert.deepEqual(reservation, { kind: "complete", generation: 4, reservation: { key: K, type: 5, scope: 0 } });
  const status = decodeFullStatus((await prIn(d, "readFullStatus", 8192)).dataIn);
  assert.deepEqual(status.registrations.map(({ key, holder, transportId }) => [key, holder, transportId]), [
    [K, true, d.initiator?.transportId],
  ]);
  assert.equal(lun.history.length, 8);
  assert.deepEqual(lun.history[4]?.after.attentions, { s: [0x2a05] });
});

Deno.test("MemoryLun: a closed nexus refuses commands, and opening it again gives a new one", async () => {
  const lun = new MemoryLun();
  const first = lun.nexus("A");
  assert.equal(lun.nexus("a"), first);
  first.close();
  first.close();
  await assert.rejects(
    first.execute(new Uint8Array(6), 0),
    /Cannot send a command to sim:memory\?nexus=A: it was closed/,
  );
  assert.equal((await lun.nexus("A").execute(new Uint8Array(6), 0)).status, 0);
});
