import assert from "node:assert/strict";
import type { PrType } from "../../../../lib/pr/types.ts";
import { look, vmScene, type VmSceneOptions } from "../../../support/vm_scene.ts";

const TYPES: (PrType | 0)[] = [0, 1, 3, 5, 6, 7, 8];

for (const type of TYPES) {
  for (
    const [gate, options] of [
      ["paused", {}],
      ["paused", { destination: { paused: true } }],
      ["completed", { monitored: false }],
      ["switchover", { monitored: false, gate: "switchover" }],
      ["switchover", { gate: "switchover" }],
      ["switchover", { gate: "switchover", destination: { paused: true } }],
    ] as [string, VmSceneOptions][]
  ) {
    const expected = gate === "completed" && (type === 1 || type === 3) ? "switchover" : gate;
    Deno.test(`type ${type}, gate ${expected}, ${JSON.stringify(options)}: the guest goes on counting at the destination`, async () => {
      using s = await vmScene({ type, ...options });
      const moved = await s.migrate();
      assert.equal(s.plans[0]!.gate, expected);
      assert.equal(moved.gate, expected);
      assert.equal(await s.recv, "moved");
      assert.deepEqual(await look(s), {
        counts: "dst",
        lun: type === 0 ? "B=K" : "B=K*",
        failedWrites: 0,
        gaps: 0,
      });
      assert.equal(s.journals.source.at(-1)!.outcome, "moved");
    });
  }
}
