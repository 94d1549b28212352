import assert from "node:assert/strict";
import type { PrEvent } from "../../../lib/snoop/event.ts";
import { HelperJoin } from "../../../lib/snoop/join.ts";
import { Turns } from "../../../lib/snoop/turns.ts";
import { HandClock } from "./watch_support.ts";

const HELPER = 4711;

function event(source: "kernel" | "helper", more: Partial<PrEvent>): PrEvent {
  return {
    time: "2026-01-01T00:00:00.000000Z",
    device: "/dev/sda",
    event: "prOut",
    source,
    serviceAction: "REGISTER",
    status: "GOOD",
    key: 0n,
    newKey: 1n,
    type: null,
    before: null,
    after: null,
    hctl: "0:0:1:0",
    ...more,
  };
}
const kernel = (endedUs: number, more: Partial<PrEvent> = {}): PrEvent =>
  event("kernel", { endedUs, startedUs: endedUs - 10, pid: HELPER, ...more });
const helper = (startedUs: number, endedUs: number, more: Partial<PrEvent> = {}): PrEvent =>
  event("helper", { startedUs, endedUs, pid: 99, ...more });

class Joined {
  readonly clock = new HandClock();
  readonly told: string[] = [];
  readonly times: string[] = [];
  readonly turns: Turns;
  readonly join: HelperJoin;
  /** `answers`: markers come back. */
  constructor(answers = true) {
    this.turns = new Turns(this.clock, (text) => {
      if (answers) queueMicrotask(() => this.turns.marker(text));
      return true;
    });
    this.join = new HelperJoin(this.turns, (pid) => pid === HELPER);
  }
  kernel(name: string, told: PrEvent): void {
    this.join.kernel(told, told.endedUs!, this.#tell(name));
  }
  helper(name: string, told: PrEvent): void {
    this.join.helper(told, told.endedUs!, this.#tell(name));
  }
  #tell(name: string): (event: PrEvent) => void {
    return (event) => {
      this.told.push(name);
      this.times.push(event.time);
    };
  }
}

Deno.test("HelperJoin tells a command both saw once, as the helper tells it, at the kernel's instant", async () => {
  const j = new Joined();
  j.kernel("kernel", kernel(1_000_050, { time: "the kernel's" }));
  await j.clock.advance(10);
  assert.deepEqual(j.told, [], "its twin may come");
  j.helper("helper", helper(1_000_000, 1_000_100));
  assert.deepEqual([j.told, j.times], [["helper"], ["the kernel's"]]);
  j.turns.flush();
  assert.deepEqual([j.told, j.clock.pending], [["helper"], 0]);
});

Deno.test("HelperJoin drops the kernel's twin that comes after the helper's", async () => {
  const j = new Joined();
  j.helper("helper", helper(1_000_000, 1_000_100));
  await j.clock.advance(10);
  j.kernel("twin", kernel(1_000_050));
  j.kernel("another", kernel(1_000_300, { pid: 5 }));
  assert.deepEqual(j.told, ["helper", "another"]);
});

Deno.test("HelperJoin puts a helper's command that still waits where its twin was seen", async () => {
  const j = new Joined(false);
  j.helper("helper", helper(1_000_000, 1_000_100));
  j.kernel("twin", kernel(1_000_050, { time: "the kernel's" }));
  j.kernel("between", kernel(1_000_070, { pid: 5 }));
  await j.clock.advance(10);
  assert.deepEqual(j.told, ["helper", "between"]);
  assert.equal(j.times[0], "the kernel's");
});

Deno.test("HelperJoin tells the kernel's event by itself when no twin comes", async () => {
  const j = new Joined();
  j.kernel("kernel", kernel(1_000_050));
  await j.clock.advance(300);
  assert.deepEqual(j.told, ["kernel"]);
  j.helper("late", helper(1_000_000, 1_000_100));
  await j.clock.advance(300);
  assert.deepEqual(j.told, ["kernel"], "a twin that comes too late is no news");
});

Deno.test("HelperJoin does not hold what other processes sent, but keeps it in order behind what is held", async () => {
  const j = new Joined();
  j.kernel("mine", kernel(1_000_010, { pid: 5 }));
  j.kernel("helper's", kernel(1_000_050));
  j.kernel("mine again", kernel(1_000_060, { pid: 5 }));
  await j.clock.advance(10);
  assert.deepEqual(j.told, ["mine"]);
  j.helper("helper", helper(1_000_000, 1_000_055));
  assert.deepEqual(j.told, ["mine", "helper", "mine again"]);
  await j.clock.advance(1000);
  assert.equal(j.told.length, 3);
});

const STRANGERS: readonly [string, Partial<PrEvent>][] = [
  ["another action", { serviceAction: "RESERVE" }],
  ["another path", { hctl: "1:0:1:0" }],
  ["another key", { key: 7n }],
  ["before the helper began", { endedUs: 999_990 }],
  ["after the helper had its answer", { endedUs: 1_000_200 }],
];
for (const [name, more] of STRANGERS) {
  Deno.test(`HelperJoin keeps apart what is not the same command: ${name}`, () => {
    const j = new Joined();
    j.kernel("kernel", kernel(1_000_050, more));
    j.helper("helper", helper(1_000_000, 1_000_100));
    j.turns.flush();
    assert.deepEqual(j.told.toSorted(), ["helper", "kernel"]);
  });
}

Deno.test("HelperJoin matches by device number where the path is not named, and whatever keys are unknown", () => {
  const j = new Joined();
  const nameless = { hctl: undefined, devno: "8:0", key: null, newKey: null };
  j.kernel("kernel", kernel(1_000_050, nameless));
  j.helper("helper", helper(1_000_000, 1_000_100, { hctl: undefined, devno: "8:0" }));
  j.turns.flush();
  assert.deepEqual(j.told, ["helper"]);
});
