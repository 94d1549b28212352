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

Deno.test("EventQueue: an event alone is written at once, those of a busy moment together, in order, each once", async () => {
  const written: (readonly PrEvent[])[] = [];
  let first = (): void => {};
  const wrote = new Promise<void>((resolve) => first = (): void => written.length > 1 ? resolve() : undefined);
  const queue = new EventQueue((some) => (written.push(some), first()));
  queue.add(event("alone"));
  assert.deepEqual(names(written), [["alone"]]);
  queue.add(event("a"));
  queue.add(event("b"));
  await wrote;
  queue.flush();
  assert.deepEqual(names(written).flat(), ["alone", "a", "b"]);
});

Deno.test("EventQueue: a flood is written without waiting for a turn", () => {
  let written = 0;
  const queue = new EventQueue((some) => written += some.length);
  for (let i = 0; i < 1000; i++) queue.add(event(`${i}`));
  assert.ok(written >= 1000 - 256, `${written}`);
  queue.flush();
  assert.equal(written, 1000);
});
