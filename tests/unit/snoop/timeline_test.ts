import assert from "node:assert/strict";
import fc from "fast-check";
import type { EventRegistration, PrEvent } from "../../../lib/snoop/event.ts";
import { type Timeline, timelineOf } from "../../../lib/snoop/timeline.ts";

const T0 = Date.UTC(2026, 0, 1);
const A = "sas aaaa", B = "sas bbbb";

function event(atMs: number, more: Partial<PrEvent> = {}): PrEvent {
  return {
    time: new Date(T0 + atMs).toISOString(),
    device: "/dev/sda",
    event: "change",
    source: "poll",
    serviceAction: null,
    status: null,
    key: null,
    newKey: null,
    type: null,
    before: null,
    after: null,
    lun: "naa.1",
    ...more,
  };
}

const reg = (initiator: string | null, key: bigint, holder = false): EventRegistration => ({
  initiator,
  key,
  holder,
  self: initiator === A,
});

function state(atMs: number, type: number, ...registrations: EventRegistration[]): PrEvent {
  const key = registrations.find(({ holder }) => holder)?.key ?? null;
  return event(atMs, { after: { key, type, generation: 1, registrations } });
}

/** Lanes as text: `name: from-to key[*]`, milliseconds from the beginning. */
function lanes(timeline: Timeline): string[] {
  return timeline.luns.flatMap(({ lanes }) =>
    lanes.map(({ name, stretches }) =>
      `${name}: ` +
      stretches.map(({ fromMs, toMs, key, holder }) =>
        `${fromMs - T0}-${toMs - T0} ${key.toString(16)}${holder ? "*" : ""}`
      ).join(", ")
    )
  );
}

Deno.test("timelineOf() draws a lane for each registrant, and a takeover where the holder changes", () => {
  const timeline = timelineOf([
    state(0, 0),
    state(100, 0, reg(A, 1n)),
    state(200, 5, reg(A, 1n, true), reg(B, 2n)),
    state(300, 5, reg(B, 2n, true)),
    state(400, 0),
  ]);
  assert.deepEqual(lanes(timeline), ["sas aaaa: 100-200 1, 200-300 1*", "sas bbbb: 200-300 2, 300-400 2*"]);
  assert.deepEqual(timeline.luns[0]!.takeovers, [{ atMs: T0 + 300, from: 0, to: 1 }]);
  assert.deepEqual(timeline.luns[0]!.lanes.map(({ own }) => own), [true, false]);
  assert.deepEqual([timeline.fromMs, timeline.toMs], [T0, T0 + 400]);
});

Deno.test("timelineOf() starts a new stretch when a registrant changes its key, and none when nothing changed", () => {
  const timeline = timelineOf([
    state(0, 5, reg(A, 1n, true)),
    state(50, 5, reg(A, 1n, true)),
    state(100, 5, reg(A, 9n, true)),
    event(200, { event: "note" }),
  ]);
  assert.deepEqual(lanes(timeline), ["sas aaaa: 0-100 1*, 100-200 9*"]);
  assert.deepEqual(timeline.luns[0]!.takeovers, []);
});

Deno.test("timelineOf() tells apart registrants without names by key, and equal ones by number", () => {
  const timeline = timelineOf([state(0, 0, reg(null, 1n), reg(null, 1n), reg(null, 2n)), state(10, 0)]);
  assert.deepEqual(lanes(timeline), ["key 1: 0-10 1", "key 1 (2): 0-10 1", "key 2: 0-10 2"]);
});

Deno.test("timelineOf() sorts by time, with the microseconds, and takes several files for one story", () => {
  const late = { ...state(0, 0, reg(A, 1n)), time: "2026-01-01T00:00:00.000900Z" };
  const early = { ...state(0, 0, reg(B, 2n)), time: "2026-01-01T00:00:00.000100Z", device: "/dev/sdq" };
  const { luns, fromMs, toMs } = timelineOf([late, early]);
  assert.deepEqual(luns.map(({ name, devices }) => [name, devices]), [["naa.1", ["/dev/sdq", "/dev/sda"]]]);
  assert.ok(Math.abs((toMs - fromMs) - 0.8) < 1e-3);
});

Deno.test("timelineOf() takes events that name only the device for the LUN other events name", () => {
  const timeline = timelineOf([event(0, { lun: undefined, event: "note" }), state(10, 0, reg(A, 1n))]);
  assert.deepEqual(timeline.luns.map(({ name }) => name), ["naa.1"]);
});

Deno.test("timelineOf() hatches the time in which a LUN could not be read", () => {
  const timeline = timelineOf([
    state(0, 5, reg(A, 1n, true)),
    event(100, { event: "down", note: "gone" }),
    event(200, { ...state(200, 5, reg(A, 1n, true)), event: "up" }),
    event(300, { event: "down", note: "gone again" }),
    event(400, { event: "note" }),
  ]);
  assert.deepEqual(lanes(timeline), ["sas aaaa: 0-100 1*, 200-300 1*"]);
  assert.deepEqual(timeline.luns[0]!.blind.map(({ fromMs, toMs, why }) => [fromMs - T0, toMs - T0, why]), [
    [100, 200, "gone"],
    [300, 400, "gone again"],
  ]);
});

Deno.test("timelineOf() marks commands, failures, conflicts, attentions and losses; a loss on every LUN", () => {
  const marks = [
    event(1, { event: "prOut", statusByte: 0, status: "GOOD" }),
    event(2, { event: "prOut", statusByte: 0x18, status: "RESERVATION CONFLICT" }),
    event(3, { event: "prOut", status: "timeout" }),
    event(4, { event: "conflict" }),
    event(5, { event: "unitAttention" }),
    event(6, { event: "lost", source: "kernel", lun: undefined, count: 3 }),
    event(7, { event: "shared" }),
  ];
  const timeline = timelineOf([state(0, 0), { ...state(0, 0), lun: "naa.2", device: "/dev/sdb" }, ...marks]);
  assert.deepEqual(timeline.luns[0]!.marks.map(({ kind }) => kind), [
    "done",
    "failed",
    "failed",
    "conflict",
    "attention",
    "lost",
    "note",
  ]);
  assert.deepEqual(timeline.luns[1]!.marks.map(({ kind }) => kind), ["lost"]);
});

Deno.test("timelineOf() draws what a helper knows of its guests when nobody read the LUN", () => {
  const helper = (atMs: number, key: bigint, type: number): PrEvent =>
    event(atMs, { source: "helper", event: "prOut", statusByte: 0, program: "qemu", after: { key, type } });
  const timeline = timelineOf([helper(0, 1n, 0), helper(10, 1n, 5), helper(20, 0n, 0)]);
  assert.deepEqual(lanes(timeline), ["qemu through /dev/sda: 0-10 1, 10-20 1*"]);
});

Deno.test("timelineOf() gives stretches that follow each other within the whole, whatever the events", () => {
  const registration = fc.record({
    initiator: fc.constantFrom(A, B, null),
    key: fc.bigInt(1n, 3n),
    holder: fc.boolean(),
    self: fc.constant(null),
  });
  const any = fc.record({
    atMs: fc.nat(1000),
    kind: fc.constantFrom("change", "up", "down", "prOut", "lost" as const),
    source: fc.constantFrom("poll", "kernel", "helper" as const),
    lun: fc.constantFrom("naa.1", undefined),
    type: fc.constantFrom(0, 5, 8),
    registrations: fc.option(fc.array(registration, { maxLength: 4 }), { nil: undefined }),
  }).map(({ atMs, kind, source, lun, type, registrations }) =>
    event(atMs, {
      event: kind as PrEvent["event"],
      source,
      ...(lun === undefined ? { lun: undefined } : { lun }),
      after: { key: null, type, ...(registrations ? { registrations } : {}) },
    })
  );
  fc.assert(
    fc.property(fc.array(any, { maxLength: 25 }), (events) => {
      const { fromMs, toMs, luns } = timelineOf(events);
      for (const { lanes, takeovers, blind } of luns) {
        for (const { stretches } of lanes) {
          let last = fromMs;
          for (const stretch of stretches) {
            assert.ok(stretch.fromMs >= last && stretch.toMs >= stretch.fromMs && stretch.toMs <= toMs);
            last = stretch.toMs;
          }
        }
        for (const { from, to } of takeovers) assert.ok(lanes[from] && lanes[to] && from !== to);
        for (const { fromMs: from, toMs: to } of blind) assert.ok(to >= from);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("timelineOf() of nothing is nothing", () => {
  assert.deepEqual(timelineOf([]), { fromMs: 0, toMs: 0, luns: [] });
  assert.deepEqual(timelineOf([event(0, { time: "yesterday" })]).luns, []);
});
