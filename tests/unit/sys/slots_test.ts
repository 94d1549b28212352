import assert from "node:assert/strict";
import { Slots } from "../../../lib/sys/slots.ts";

Deno.test("Slots let so many in at a time, in order, and give each slot back", async () => {
  const slots = new Slots(2);
  const order: number[] = [];
  let inside = 0, most = 0;
  const work = (n: number) => async (): Promise<number> => {
    most = Math.max(most, ++inside);
    order.push(n);
    await new Promise((resolve) => setTimeout(resolve, 5 - n));
    inside--;
    return n;
  };
  const all = [0, 1, 2, 3, 4].map((n) => slots.run(work(n)));
  assert.deepEqual([slots.taken, slots.waiting], [2, 3]);
  assert.deepEqual(await Promise.all(all), [0, 1, 2, 3, 4]);
  assert.deepEqual([most, order, slots.taken, slots.waiting], [2, [0, 1, 2, 3, 4], 0, 0]);
});

Deno.test("Slots give the slot back after a failure, thrown early or late", async () => {
  const slots = new Slots(1);
  await assert.rejects(slots.run(() => Promise.reject(new Error("late"))), /late/);
  await assert.rejects(
    slots.run(() => {
      throw new Error("early");
    }),
    /early/,
  );
  assert.equal(slots.taken, 0);
});
