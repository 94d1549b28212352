import assert from "node:assert/strict";
import { Gate } from "../../../lib/snoop/gate.ts";

Deno.test("Gate: so many inside, the others in their order, and out of patience means no", async () => {
  const gate = new Gate(2);
  assert.deepEqual([await gate.enter(0), await gate.enter(0)], [true, true]);
  const impatient = gate.enter(5);
  const order: string[] = [];
  const third = gate.enter(5000).then((inside) => order.push(`third ${inside}`));
  const fourth = gate.enter(5000).then((inside) => order.push(`fourth ${inside}`));
  assert.equal(await impatient, false);
  gate.leave();
  await third;
  gate.leave();
  await fourth;
  assert.deepEqual([order, gate.taken], [["third true", "fourth true"], 2]);
  gate.leave();
  gate.leave();
  assert.equal(gate.taken, 0);
});

Deno.test("Gate: each waits as long as its own patience, whoever came first", async () => {
  const gate = new Gate(1);
  assert.equal(gate.tryEnter(), true);
  const order: string[] = [];
  const told = (name: string, patienceMs: number): Promise<unknown> =>
    gate.enter(patienceMs).then((inside) => order.push(`${name} ${inside}`));
  const all = [told("long", 60_000), told("middle", 40), told("short", 5)];
  await Promise.all(all.slice(1));
  gate.leave();
  await all[0];
  assert.deepEqual(order, ["short false", "middle false", "long true"]);
  gate.leave();
  assert.deepEqual([gate.taken, await gate.enter(0)], [0, true]); // and no timer is left, which the test runner would tell
});
