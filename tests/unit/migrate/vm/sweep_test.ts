/**
 * Whatever happens, whenever: no migration ends with two guests, with a guest beside its reservation, or not at all.
 */
import assert from "node:assert/strict";
import type { VmGate } from "../../../../lib/migrate/vm/gates.ts";
import type { Fault } from "../../../support/sim_qemu.ts";
import { attempt, look, type VmScene, vmScene, type VmSceneOptions } from "../../../support/vm_scene.ts";

const GATES: readonly VmGate[] = ["paused", "completed", "switchover"];
/** At the gate `completed` a monitor is of no use, so the sweep goes without. */
const optionsOf = (gate: VmGate): VmSceneOptions => ({ gate, monitored: gate !== "completed", commandMs: 1 });

/** What must be true in the end, whatever was done. */
async function judge(s: VmScene, what: string): Promise<string> {
  const { kind, message } = await attempt(s);
  await Promise.race([s.recv, s.clock.sleep(60_000)]);
  const seen = await look(s);
  const story = `${what}: ${kind} ${message} ${JSON.stringify(seen)}`;
  assert.notEqual(seen.counts, "both", story);
  if (seen.counts === "src") assert.match(seen.lun, /A=K\*/, story);
  if (seen.counts === "dst") assert.match(seen.lun, /B=K\*/, story);
  if (kind !== "unsure" && s.src.alive && s.dst.alive) assert.notEqual(seen.counts, "nowhere", story);
  if (kind === "ok") assert.notEqual(seen.counts, "src", story);
  if (kind !== "ok" && kind !== "unsure") assert.notEqual(seen.counts, "dst", story);
  return kind;
}

/** Milliseconds at which something happens: a few while memory is sent, many around the gate (at 400). */
const MOMENTS: readonly number[] = [
  ...Array.from({ length: 5 }, (_, i) => 80 * i),
  ...Array.from({ length: 40 }, (_, i) => 396 + 3 * i),
];

/** How many commands a QEMU is told when nothing goes wrong, and which is the first after `migrate`. */
async function commandsOf(gate: VmGate, qemu: "src" | "dst"): Promise<{ count: number; first: number }> {
  using s = await vmScene(optionsOf(gate));
  await attempt(s);
  // What comes before is the same at every gate.
  const first = gate === "paused" || qemu === "dst" ? 0 : s.src.told.indexOf("migrate");
  return { count: s[qemu].told.length, first };
}

for (const gate of GATES) {
  Deno.test(`gate ${gate}: interrupted at any moment, the guest runs on the one side that holds, and none of its writes fails`, async () => {
    const kinds = new Set<string>();
    for (const ms of MOMENTS) {
      using s = await vmScene(optionsOf(gate));
      s.clock.sleep(ms).then(() => s.stop.abort());
      kinds.add(await judge(s, `interrupted after ${ms} ms`));
      assert.deepEqual(s.writes.filter((write) => !write.ok), []);
    }
    assert.deepEqual([...kinds].sort(), ["interrupted", "ok"]);
  });

  for (const victim of ["src", "dst"] as const) {
    Deno.test(`gate ${gate}: ${victim} killed at any moment`, async () => {
      for (const ms of MOMENTS) {
        using s = await vmScene(optionsOf(gate));
        s.clock.sleep(ms).then(() => s[victim].die());
        await judge(s, `${victim} killed after ${ms} ms`);
      }
    });
  }

  Deno.test(`gate ${gate}: recv's connection cut at any moment`, async () => {
    for (const ms of MOMENTS) {
      using s = await vmScene(optionsOf(gate));
      s.clock.sleep(ms).then(() => s.link.cut());
      await judge(s, `cut after ${ms} ms`);
      assert.deepEqual(s.writes.filter((write) => !write.ok), []);
    }
  });

  for (const fault of ["silence", "lost answer", "garbage", "refuse", "die", "do and die"] as Fault[]) {
    Deno.test(`gate ${gate}: any one QMP command meets "${fault}"`, async () => {
      for (const victim of ["src", "dst"] as const) {
        if (victim === "dst" && gate === "completed") continue;
        const { count, first } = await commandsOf(gate, victim);
        for (let at = first; at < count; at++) {
          using s = await vmScene(optionsOf(gate));
          let n = 0;
          s[victim].fault = () => n++ === at ? fault : null;
          await judge(s, `${victim}'s command ${at}`);
        }
      }
    });
  }
}
