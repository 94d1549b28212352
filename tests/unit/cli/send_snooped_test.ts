import assert from "node:assert/strict";
import { snoopedKey } from "../../../lib/cli/send/snooped.ts";
import type { CommandContext } from "../../../lib/cli/context.ts";
import type { Lun } from "../../../lib/migrate/lun.ts";
import { memoryWorld } from "../../support/cli_world.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

Deno.test("snoopedKey() knows nothing of simulated LUNs, and sends them nothing", async () => {
  const lun = new MemoryLun();
  const sim: Lun = {
    device: "sim:lun.json?nexus=A",
    designator: "naa.1",
    paths: [{ nexus: lun.nexus("A"), relativeTargetPort: 1 }],
  };
  const context = { ...memoryWorld(), json: false } as unknown as CommandContext;
  assert.equal(await snoopedKey([sim], context), undefined);
  assert.deepEqual(lun.history, []);
});
