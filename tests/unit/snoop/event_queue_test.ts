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

Deno.test("EventQueue: an event outside of the loop is written at once, those inside together, in order, each once", () => {
  const written: (readonly PrEvent[])[] = [];
  let soon = false;
  const queue = new EventQueue((some) => written.push(some), () => soon);
  queue.add(event("alone"));
  soon = true;
  queue.add(event("a"));
  queue.add(event("b"));
  assert.deepEqual(names(written), [["alone"]]);
  queue.flush();
  queue.flush();
  assert.deepEqual(names(written), [["alone"], ["a", "b"]]);
});

Deno.test("EventQueue: a flood is written without waiting for the loop's pause", () => {
  let written = 0;
  const queue = new EventQueue((some) => written += some.length, () => true);
  for (let i = 0; i < 1000; i++) queue.add(event(`${i}`));
  assert.ok(written >= 1000 - 256, `${written}`);
  queue.flush();
  assert.equal(written, 1000);
});
