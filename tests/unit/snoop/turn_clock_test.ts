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

Deno.test("TurnClock: the wall clock stands still for a turn, goes with the other one, and is followed within a second when it is set", () => {
  let [us, wall, looks] = [5_000_000, 1_000_000_000_000, 0];
  const clock = new TurnClock(() => us, () => (looks++, wall + us));
  const timeAfter = (passedUs: number): number => {
    us += passedUs;
    clock.advance();
    return Date.parse(clock.time()) * 1000 - us;
  };
  assert.equal(timeAfter(0), wall);
  us += 300_000;
  assert.equal(Date.parse(clock.time()) * 1000, wall + 5_000_000);
  assert.equal(timeAfter(200_000), wall);
  assert.equal(looks, 1);
  wall += 3_600_000_000;
  assert.equal(timeAfter(600_000), wall);
  assert.equal(looks, 2);
});

Deno.test("TurnClock: the real clocks agree with the system's to a few milliseconds", () => {
  assert.ok(Math.abs(Date.parse(new TurnClock().time()) - Date.now()) < 1000);
});
