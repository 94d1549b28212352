/**
 * A third party fences the guest while it is on its way: it is never told to run on a host that does not hold any more.
 */
import assert from "node:assert/strict";
import type { VmGate } from "../../../../lib/migrate/vm/gates.ts";
import { prOut } from "../../../../lib/pr/commands.ts";
import type { PrType } from "../../../../lib/pr/types.ts";
import { C_KEY, K } from "../../../support/hand_over_scene.ts";
import type { SimQemu } from "../../../support/sim_qemu.ts";
import { recoverAll } from "../../../support/vm_recover.ts";
import { attempt, look, type VmScene, vmScene } from "../../../support/vm_scene.ts";

/** The last look of prmig before it tells QEMU anything may be older than the fencing by this much. */
const LOOK_MS = 20;
/** Fenced earlier, the guest has nothing to move. */
const MOMENTS: readonly number[] = [30, 100, 300, ...Array.from({ length: 30 }, (_, i) => 396 + 2 * i)];

/** Notes what would let the guest run, told to a QEMU after `since()`. */
function noteOrders(s: VmScene, qemu: SimQemu, since: () => number): string[] {
  const orders: string[] = [];
  qemu.fault = (command) => {
    const resumes = command === "cont" || command === "migrate_cancel" && qemu.migration === "pre-switchover";
    if (resumes && s.clock.now() > since() + LOOK_MS) orders.push(`${qemu.name}: ${command} at ${s.clock.now()}`);
    return null;
  };
  return orders;
}

for (const [gate, type] of [["paused", 5], ["paused", 7], ["completed", 5], ["switchover", 1]] as [VmGate, PrType][]) {
  Deno.test(`gate ${gate}, type ${type}: fenced at any moment, the guest is not told to run any more`, async () => {
    const kinds = new Set<string>();
    for (const ms of MOMENTS) {
      using s = await vmScene({ gate, type, monitored: gate !== "completed", commandMs: 1 });
      let fencedAt = Infinity;
      const c = s.lun.lun.nexus("C");
      s.clock.sleep(ms).then(async () => {
        await prOut(c, { action: "preempt", rk: C_KEY, sark: K, type });
        fencedAt = s.clock.now();
      });
      const orders = [s.src, s.dst].flatMap((qemu) => [noteOrders(s, qemu, () => fencedAt)]);
      const { kind, message } = await attempt(s);
      await Promise.race([s.recv, s.clock.sleep(60_000)]);
      const seen = await look(s);
      const story = `fenced after ${ms} ms: ${kind} ${message} ${JSON.stringify(seen)}`;
      assert.deepEqual(orders.flat(), [], story);
      if (fencedAt < Infinity && !seen.lun.includes("K")) assert.equal(seen.counts, "nowhere", story);
      kinds.add(kind);
    }
    assert(kinds.has("refused"), [...kinds].join());
  });
}

Deno.test("fenced while it waits at pre-switchover, the guest is left there, exit 3, and the LUN is not touched", async () => {
  using s = await vmScene({ gate: "switchover", type: 1, monitored: false, commandMs: 1 });
  s.src.onStatus = (status) => {
    if (status !== "pre-switchover") return;
    void prOut(s.lun.lun.nexus("C"), { action: "preempt", rk: C_KEY, sark: K, type: 1 });
  };
  const { kind, lun, remedy } = await attempt(s);
  assert.equal(kind, "refused", lun);
  assert.match(lun, /the guest is left standing still on the source \(finish-migrate\)/);
  assert.match(remedy, /find out who fenced this guest/);
  assert.equal(s.src.migration, "pre-switchover");
  await Promise.race([s.recv, s.clock.sleep(60_000)]);
  assert.deepEqual(await look(s), { counts: "nowhere", lun: "", failedWrites: 0, gaps: 0 });
});

for (const gate of ["paused", "switchover"] as VmGate[]) {
  Deno.test(`gate ${gate}: prmig dies while the guest stands still, the guest is fenced: recover leaves it standing`, async () => {
    for (const ms of [404, 407, 410, 413]) {
      using s = await vmScene({ gate, type: 5, commandMs: 1 });
      const dead = s.dieAfter(ms);
      await Promise.race([s.migrate().catch(() => undefined), dead]);
      await dead;
      await prOut(s.lun.lun.nexus("C"), { action: "preempt", rk: C_KEY, sark: K, type: 5 });
      const orders = [s.src, s.dst].map((qemu) => noteOrders(s, qemu, () => 0));
      const { fenced, guest } = await recoverAll(s, gate).catch((error) => ({
        fenced: error.kind,
        guest: String(error),
      }));
      const seen = await look(s);
      const story = `killed after ${ms} ms: ${fenced} ${guest} ${JSON.stringify(seen)}`;
      assert.deepEqual(orders.flat(), [], story);
      assert.equal(seen.counts, "nowhere", story);
      assert.match(seen.lun, /^(A=\d+\*?)?$/, story);
    }
  });
}
