import assert from "node:assert/strict";
import type { PrEvent } from "../../../lib/snoop/event.ts";
import { EventQueue } from "../../../lib/snoop/event_queue.ts";

function event(device: string): PrEvent {
  return {
    time: "2026-01-01T00:00:00Z",
    device,
    event: "prOut",
    source: "helper",
    serviceAction: "REGISTER",
    status: "GOOD",
    key: 0n,
    newKey: 1n,
    type: 0,
    before: null,
    after: null,
  };
}

function names(batches: readonly (readonly PrEvent[])[]): string[][] {
  return batches.map((batch) => batch.map(({ device }) => device));
}

Deno.test("EventQueue: an event alone is written at once, those of a busy moment together, in order, each once", () => {
  const written: (readonly PrEvent[])[] = [];
  let nowMs = 0;
  const queue = new EventQueue((some) => written.push(some), () => true, () => nowMs);
  queue.add(event("alone"));
  queue.add(event("a"));
  queue.add(event("b"));
  assert.deepEqual(names(written), [["alone"]]);
  queue.flush();
  queue.flush();
  assert.deepEqual(names(written), [["alone"], ["a", "b"]]);
  nowMs = 5;
  queue.add(event("soon after"));
  assert.equal(written.length, 2);
  queue.flush();
  nowMs = 16;
  queue.add(event("alone again"));
  assert.deepEqual(names(written).slice(2), [["soon after"], ["alone again"]]);
});

Deno.test("EventQueue: where no pause will come, each is written at once", () => {
  const written: (readonly PrEvent[])[] = [];
  const queue = new EventQueue((some) => written.push(some), () => false, () => 0);
  for (const name of ["a", "b"]) queue.add(event(name));
  assert.deepEqual(names(written), [["a"], ["b"]]);
});

Deno.test("EventQueue: a flood is written without waiting for the loop's pause", () => {
  let written = 0;
  const queue = new EventQueue((some) => written += some.length, () => true, () => 0);
  for (let i = 0; i < 1000; i++) queue.add(event(`${i}`));
  assert.ok(written >= 1000 - 256, `${written}`);
  queue.flush();
  assert.equal(written, 1000);
});
