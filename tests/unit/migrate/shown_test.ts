/**
 * What a person was shown of a LUN: as it was, or changed since.
 */
import assert from "node:assert/strict";
import { isAsShown, shownOf } from "../../../lib/migrate/shown.ts";
import { observe } from "../../../lib/migrate/lun.ts";
import { prOut, type PrOutRequest } from "../../../lib/pr/commands.ts";
import type { PrState } from "../../../lib/pr/types.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

const K = 0x123abcn;

async function place(): Promise<{ lun: MemoryLun; state: () => Promise<PrState> }> {
  const lun = new MemoryLun();
  const nexus = lun.nexus("A");
  await prOut(nexus, { action: "register", rk: 0n, sark: K, aptpl: false });
  const paths = [{ nexus, relativeTargetPort: 1 }];
  return { lun, state: () => observe({ device: "sim:A", designator: "naa.1", paths }) };
}

const CHANGES: Record<string, [nexus: string, PrOutRequest]> = {
  "another comes": ["B", { action: "register", rk: 0n, sark: 0xbbbbn, aptpl: false }],
  "a key changes": ["A", { action: "register", rk: K, sark: 0xaaaan, aptpl: false }],
  "a key is registered over itself": ["A", { action: "register", rk: K, sark: K, aptpl: false }],
  "one goes": ["A", { action: "register", rk: K, sark: 0n, aptpl: false }],
};

Deno.test("a LUN that nobody changed is as it was shown", async () => {
  const { state } = await place();
  assert(isAsShown(shownOf(await state()), await state()));
});

for (const [what, [name, request]] of Object.entries(CHANGES)) {
  Deno.test(`not as it was shown: ${what}`, async () => {
    const { lun, state } = await place();
    const shown = shownOf(await state());
    assert.equal((await prOut(lun.nexus(name), request)).status, 0);
    assert(!isAsShown(shown, await state()));
  });
}

Deno.test("a target that counts PRGENERATION anew does not make another LUN of registrations the shown one", async () => {
  const { state } = await place();
  const now = await state();
  const shown = { ...shownOf(now), registrations: [{ name: "iscsi:another@1", key: K }] };
  assert.equal(shown.generation, now.generation);
  assert(!isAsShown(shown, now));
});
