import assert from "node:assert/strict";
import { TurnClock } from "../../../lib/snoop/turn_clock.ts";

Deno.test("TurnClock: one reading a turn while the loop goes round, one each time while it pauses", () => {
  let us = 0;
  const clock = new TurnClock(() => ++us);
  assert.deepEqual([clock.nowUs(), clock.nowUs()], [1, 2]);
  clock.advance();
  assert.deepEqual([clock.nowUs(), clock.nowUs()], [3, 3]);
  clock.advance();
  assert.deepEqual([clock.nowUs(), clock.nowUs()], [4, 4]);
  clock.release();
  assert.deepEqual([clock.nowUs(), clock.nowUs()], [5, 6]);
});

Deno.test("TurnClock: a turn nobody asks in costs no reading, and its instant is that of the first look", () => {
  let readings = 0;
  const clock = new TurnClock(() => ++readings);
  for (let i = 0; i < 3; i++) clock.advance();
  assert.equal(readings, 0);
});

Deno.test("TurnClock: the wall clock stands still for a turn, too", async () => {
  const clock = new TurnClock();
  clock.advance();
  const before = clock.time();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(clock.time(), before);
  clock.advance();
  assert.notEqual(clock.time(), before);
});
