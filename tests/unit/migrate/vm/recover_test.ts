/**
 * prmig dies at any moment of a migration; `recover` on the source brings guest and reservation to one side.
 */
import assert from "node:assert/strict";
import { recoverAll } from "../../../support/vm_recover.ts";
import { look, vmScene } from "../../../support/vm_scene.ts";

const MOMENTS: readonly number[] = [0, 100, 300, ...Array.from({ length: 30 }, (_, i) => 396 + 3 * i)];

for (const gate of ["paused", "completed", "switchover"] as const) {
  Deno.test(`gate ${gate}: prmig killed at any moment, then recover: the guest counts on the side that holds`, async () => {
    const sides = new Set<string>();
    for (const ms of MOMENTS) {
      using s = await vmScene({ gate, monitored: gate !== "completed", commandMs: 1 });
      const dead = s.dieAfter(ms);
      await Promise.race([s.migrate().catch(() => undefined), dead]);
      await dead;
      const { guest } = await recoverAll(s, gate);
      const seen = await look(s);
      const story = `killed after ${ms} ms: ${guest} ${JSON.stringify(seen)}`;
      assert.match(seen.counts, /^(src|dst)$/, story);
      assert.match(seen.lun, seen.counts === "src" ? /A=K\*/ : /B=K\*/, story);
      assert.deepEqual(s.writes.filter((write) => !write.ok), [], story);
      sides.add(seen.counts);
    }
    assert.deepEqual([...sides].sort(), ["dst", "src"]);
  });
}
