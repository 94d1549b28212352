/** Cut off after any command, by any nexus: what is left is taken away, and nothing of anybody else's. */
import assert from "node:assert/strict";
import type { Nexus } from "../../../lib/pr/nexus.ts";
import type { LunModel } from "../../../lib/pr/sim/model.ts";
import { LIO, type Profile, SPC4, TGT } from "../../../lib/pr/sim/profile.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import { isScenarioKey } from "../../../lib/qualify/own_keys.ts";
import type { Nexuses } from "../../../lib/qualify/players.ts";
import { playScenarios } from "../../../lib/qualify/run.ts";
import { PLAYERS } from "../../../lib/qualify/scenario.ts";
import { SCENARIOS } from "../../../lib/qualify/scenarios.ts";
import { leave, tidy } from "../../../lib/qualify/tidy.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

function three(lun: MemoryLun): Nexuses {
  return { A: lun.nexus("A"), B: lun.nexus("B"), C: lun.nexus("C") };
}

function dead(nexus: Nexus): Nexus {
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    execute: () => Promise.reject(new Error(`${nexus.address} is gone`)),
    close: () => nexus.close(),
  };
}

/** Every state the LUN is in while all scenarios are played, each once. */
async function statesOf(profile: Profile): Promise<LunModel[]> {
  const lun = new MemoryLun({ profile });
  await playScenarios(SCENARIOS, three(lun), { registerAndMove: profile !== TGT, preemptAndAbort: profile !== TGT });
  const states = new Map<string, LunModel>();
  for (const { after } of lun.history) {
    const { registrations, reservation, attentions, spc2Holder, ptplActive } = after;
    states.set(JSON.stringify([registrations, reservation, attentions, spc2Holder, ptplActive], bigText), after);
  }
  return [...states.values()];
}

function bigText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString(16) : value;
}

for (const profile of [SPC4, LIO, TGT]) {
  Deno.test(`tidy(): whatever state a ${profile.name} is left in, it is clean afterwards`, async () => {
    const states = await statesOf(profile);
    assert.ok(states.length > 80, `${states.length} states`);
    for (const state of states) {
      const lun = new MemoryLun({ profile, record: false });
      lun.model = state;
      const { foreign, broken } = await tidy(three(lun));
      const { registrations, reservation, spc2Holder, attentions } = lun.model;
      assert.deepEqual([registrations, reservation, spc2Holder, attentions], [[], null, null, {}]);
      assert.deepEqual([foreign, broken.size], [[], 0]);
    }
  });

  for (const player of PLAYERS) {
    Deno.test(`tidy(): the others clean up a ${profile.name} behind ${player}, whose nexus is gone`, async () => {
      for (const state of await statesOf(profile)) {
        // Only its own nexus can give back what was reserved by RESERVE(6).
        if (state.spc2Holder !== null) continue;
        const lun = new MemoryLun({ profile, record: false });
        lun.model = state;
        const nexuses = three(lun);
        const { broken } = await tidy({ ...nexuses, [player]: dead(nexuses[player]) });
        assert.deepEqual([lun.model.registrations, lun.model.reservation], [[], null]);
        assert.deepEqual([...broken.keys()], [player]);
      }
    });
  }
}

Deno.test("tidy(): registrations of others stay as they are, and so does what they hold", async () => {
  for (const state of await statesOf(SPC4)) {
    if (state.spc2Holder !== null || state.registrations.some(({ nexus }) => nexus.startsWith("d"))) continue;
    const lun = new MemoryLun({ record: false });
    lun.model = state;
    const stranger = lun.nexus("D");
    await stranger.execute(Uint8Array.of(0, 0, 0, 0, 0, 0), 0);
    await prOut(stranger, { action: "register", rk: 0n, sark: 0xabcn, aptpl: false });
    const before = lun.model.registrations.filter(({ key }) => !isScenarioKey(key));
    assert.equal(before.length, 1);
    const { foreign } = await tidy(three(lun));
    assert.deepEqual([lun.model.registrations, foreign], [before, [0xabcn]]);
  }
});

Deno.test("tidy(): no nexus works: that is an unsure outcome, and it says what the next run does", async () => {
  const { A, B } = three(new MemoryLun());
  await assert.rejects(tidy({ A: dead(A), B: dead(B) }), {
    name: "PrmigError",
    kind: "unsure",
    message: "Cannot tidy up: sim:memory?nexus=A is gone; sim:memory?nexus=B is gone",
  });
});

Deno.test("leave(): one nexus takes back its own registration, and no other", async () => {
  const states = await statesOf(SPC4);
  for (const state of states) {
    if (state.spc2Holder !== null) continue;
    const lun = new MemoryLun({ record: false });
    lun.model = state;
    await leave(lun.nexus("B"));
    const others = state.registrations.filter(({ nexus }) => nexus !== "b").map(({ nexus, key }) => [nexus, key]);
    assert.deepEqual(lun.model.registrations.map(({ nexus, key }) => [nexus, key]), others);
  }
});

Deno.test("a stranger that registers in the middle stops the scenarios, and keeps its registration", async () => {
  const lun = new MemoryLun({ record: false });
  let played = 0;
  await assert.rejects(
    playScenarios(SCENARIOS, three(lun), {
      onScenario: () => {
        if (++played !== 40) return;
        void prOut(lun.nexus("D"), { action: "register", rk: 0n, sark: 0xabcn, aptpl: false });
      },
    }),
    { kind: "refused", message: /somebody else has registered .*\(key 0x0000000000000abc\)/ },
  );
  assert.deepEqual(lun.model.registrations.map(({ key }) => key), [0xabcn]);
});

Deno.test("a signal stops the scenarios before any step, and leaves the LUN clean", async () => {
  for (let at = 1; at < 400; at += 7) {
    const lun = new MemoryLun({ record: false });
    const stop = new AbortController();
    let sent = 0;
    const { A, B, C } = three(lun);
    const counting: Nexus = {
      address: A.address,
      initiator: A.initiator,
      execute: (cdb, data) => {
        if (++sent === at) stop.abort(new Error("stopped"));
        return A.execute(cdb, data);
      },
      close: () => A.close(),
    };
    await assert.rejects(playScenarios(SCENARIOS, { A: counting, B, C }, { signal: stop.signal }), /^Error: stopped$/);
    assert.deepEqual([lun.model.registrations, lun.model.reservation, lun.model.attentions], [[], null, {}]);
  }
});

Deno.test("a connection that ends with the signal (Ctrl-C goes to ssh, too) is an interrupt, and no failure", async () => {
  const lun = new MemoryLun({ record: false });
  const stop = new AbortController();
  const { A, B, C } = three(lun);
  let sent = 0;
  const cut: Nexus = {
    address: B.address,
    initiator: B.initiator,
    execute: (cdb, data) => {
      if (++sent < 300) return B.execute(cdb, data);
      stop.abort(new Error("stopped"));
      return Promise.reject(new Error("gone"));
    },
    close: () => B.close(),
  };
  await assert.rejects(playScenarios(SCENARIOS, { A, B: cut, C }, { signal: stop.signal }), /^Error: stopped$/);
  assert.deepEqual([lun.model.registrations, lun.model.reservation], [[], null]);
});
