/**
 * A hand-over that is prepared long before the switch: the guest goes on changing things, the world goes on failing.
 */
import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { runDestination } from "../../../lib/migrate/destination.ts";
import type { JournalEntry } from "../../../lib/migrate/journal_entry.ts";
import { Lease } from "../../../lib/migrate/lease.ts";
import { runSource } from "../../../lib/migrate/source.ts";
import { prOut, type PrOutRequest } from "../../../lib/pr/commands.ts";
import { readRegistrations } from "../../../lib/pr/read_state.ts";
import { C_KEY, K, ports, runs, type Scene, scene } from "../../support/hand_over_scene.ts";
import { linked } from "../../support/linked.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const K2 = 0xfeedn;
const WINDOW_MS = 5000;

interface Prepared {
  readonly s: Scene;
  /** Both sides, each ending or failing. */
  readonly ends: Promise<PromiseSettledResult<{ outcome: string }>[]>;
  readonly cut: () => void;
  open(): void;
  /** How the journals of both sides say that it ended. */
  closedAs(): (string | undefined)[];
}

/** Runs both sides up to the gate, and comes back once the destination is prepared and everybody waits. */
async function prepared(type: 0 | 5 | 8 = 5): Promise<Prepared> {
  const s = await scene({ type, clock: new VirtualClock() });
  const { source: toB, destination: toA, cut } = linked(s.clock);
  const journals: JournalEntry[][] = [[], []];
  const { source, destination } = await runs(s, ports(s, journals[0], toB), ports(s, journals[1], toA), WINDOW_MS);
  const gate = Promise.withResolvers<void>();
  const ends = Promise.allSettled([
    runSource(source, new Lease(WINDOW_MS, s.clock.now()), () => gate.promise),
    runDestination(destination),
  ]);
  while (s.told.filter((t) => t.phase === "prepared").length < 2) await s.clock.sleep(10);
  return { s, ends, cut, open: gate.resolve, closedAs: () => journals.map((entries) => entries.at(-1)!.outcome) };
}

async function does(s: Scene, nexus: string, request: PrOutRequest): Promise<void> {
  const { status } = await prOut(s.lun.nexus(nexus), request);
  assert.equal(status, 0, `${nexus}: ${request.action}`);
}

/** What is registered, as `nexus key holder`. */
async function shown(s: Scene): Promise<string[]> {
  const { registrations } = await readRegistrations(s.lun.nexus("D"));
  return registrations.map((r) => `${r.transportId!.address.at(-1)} ${r.key.toString(16)}${r.holder ? " holds" : ""}`)
    .sort();
}

function outcomes(ends: PromiseSettledResult<{ outcome: string }>[]): string[] {
  return ends.map((end) => end.status === "fulfilled" ? end.value.outcome : (end.reason as PrmigError).kind);
}

Deno.test("a prepared hand-over lasts as long as the gate is shut, and moves when it opens", async () => {
  const p = await prepared();
  await p.s.clock.sleep(20 * WINDOW_MS);
  p.open();
  assert.deepEqual(outcomes(await p.ends), ["moved", "moved"]);
  assert.deepEqual(await shown(p.s), ["b 123abc holds", "c cccc"]);
});

Deno.test("the destination follows a guest that re-keys itself", async () => {
  const p = await prepared();
  await does(p.s, "A", { action: "register", rk: K, sark: K2, aptpl: false });
  await p.s.clock.sleep(WINDOW_MS);
  assert.deepEqual(await shown(p.s), ["a feed holds", "b feed", "c cccc"]);
  p.open();
  assert.deepEqual(outcomes(await p.ends), ["moved", "moved"]);
  assert.deepEqual(await shown(p.s), ["b feed holds", "c cccc"]);
});

for (
  const [what, requests, wanted] of [
    ["releases", [{ action: "release", rk: K, type: 5 }], ["b 123abc", "c cccc"]],
    ["changes its type", [{ action: "release", rk: K, type: 5 }, { action: "reserve", rk: K, type: 8 }], [
      "b 123abc holds",
      "c cccc holds",
    ]],
  ] as const
) {
  Deno.test(`the destination follows a guest that ${what}`, async () => {
    const p = await prepared();
    for (const request of requests) await does(p.s, "A", request);
    await p.s.clock.sleep(WINDOW_MS);
    p.open();
    assert.deepEqual(outcomes(await p.ends), ["moved", "moved"]);
    assert.deepEqual(await shown(p.s), wanted);
  });
}

for (const type of [0, 5, 8] as const) {
  for (
    const [what, nexus, request, said, wanted] of [
      ["its guest unregisters", "A", { action: "register", rk: K, sark: 0n, aptpl: false }, /unregistered itself/, [
        "c cccc",
      ]],
      ["its guest clears the LUN", "A", { action: "clear", rk: K }, /sim:A was cleared: nobody is registered/, []],
      [
        "a third party preempts the key",
        "C",
        { action: "preempt", rk: C_KEY, sark: K, type: 5 },
        type === 5 ? /by a third party: .*now held by iscsi:.*:c@1 under key 0x000000000000cccc/ : /by a third party/,
        ["c cccc"],
      ],
    ] as const
  ) {
    Deno.test(`a prepared hand-over of type ${type} ends with 3, and nothing comes back, when ${what}`, async () => {
      const p = await prepared(type);
      await does(p.s, nexus, request);
      const ends = await p.ends;
      assert.deepEqual(outcomes(ends), ["refused", "refused"]);
      const [send, recv] = ends.map((end) => (end as PromiseRejectedResult).reason as PrmigError);
      assert.match(send!.message, said);
      for (const { facts } of [send!, recv!]) {
        assert.match(facts.lun!, nexus === "A" ? /^as the guest left it: / : /^the guest stays fenced: /);
      }
      const holds = type === 8 && what !== "its guest clears the LUN" || type === 5 && nexus === "C";
      assert.deepEqual(await shown(p.s), wanted.map((seat) => holds ? `${seat} holds` : seat));
      const outcome = nexus === "A" ? "dropped" : "fenced";
      assert.deepEqual(p.closedAs(), [outcome, outcome]);
    });
  }
}

Deno.test("what the guest does in the last moment before the switch is not missed", async () => {
  const changes: [string, PrOutRequest[], string[], string[]][] = [
    ["re-keys itself", [{ action: "register", rk: K, sark: K2, aptpl: false }], ["moved", "moved"], [
      "b feed holds",
      "c cccc",
    ]],
    ["changes its type", [{ action: "release", rk: K, type: 5 }, { action: "reserve", rk: K, type: 7 }], [
      "moved",
      "moved",
    ], ["b 123abc holds", "c cccc holds"]],
    ["unregisters", [{ action: "register", rk: K, sark: 0n, aptpl: false }], ["refused", "refused"], ["c cccc"]],
  ];
  for (const [what, requests, ends, wanted] of changes) {
    const p = await prepared();
    for (const request of requests) await does(p.s, "A", request);
    p.open();
    assert.deepEqual(outcomes(await p.ends), ends, what);
    assert.deepEqual(await shown(p.s), wanted, what);
  }
});

Deno.test("a guest that takes a key that others have is not followed: all stays as the guest made it", async () => {
  const p = await prepared();
  await does(p.s, "A", { action: "register", rk: K, sark: C_KEY, aptpl: false });
  assert.deepEqual(outcomes(await p.ends), ["refused", "failed"]);
  assert.deepEqual(await shown(p.s), ["a cccc holds", "c cccc"]);
});

Deno.test("a guest that re-keys itself just as the hand-over is called off keeps its new key, alone", async () => {
  for (const type of [0, 5, 8] as const) {
    const p = await prepared(type);
    await does(p.s, "A", { action: "register", rk: K, sark: K2, aptpl: false });
    p.cut();
    assert.deepEqual(outcomes(await p.ends), ["failed", "refused"]);
    assert.deepEqual(
      await shown(p.s),
      type === 0 ? ["a feed", "c cccc"] : type === 5 ? ["a feed holds", "c cccc"] : ["a feed holds", "c cccc holds"],
    );
    assert.deepEqual(p.closedAs(), ["restored", "nothing"]);
  }
});

Deno.test("a connection that is lost before the switch leaves the LUN as it was, on both sides", async () => {
  const p = await prepared();
  p.cut();
  assert.deepEqual(outcomes(await p.ends), ["failed", "failed"]);
  assert.deepEqual(await shown(p.s), ["a 123abc holds", "c cccc"]);
});

Deno.test("a gate that fails takes everything back and says why", async () => {
  const s = await scene({ type: 8, clock: new VirtualClock() });
  const { source: toB, destination: toA } = linked(s.clock);
  const { source, destination } = await runs(s, ports(s, [], toB), ports(s, [], toA), WINDOW_MS);
  const why = new PrmigError("failed", { message: "the migration failed", lun: "as before", remedy: "see QEMU's log" });
  const ends = await Promise.allSettled([
    runSource(source, new Lease(WINDOW_MS, 0), () => Promise.reject(why)),
    runDestination(destination),
  ]);
  assert.match((ends[0] as PromiseRejectedResult).reason.message, /the migration failed/);
  assert.deepEqual(await shown(s), ["a 123abc holds", "c cccc holds"]);
});
