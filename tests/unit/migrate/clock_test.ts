/**
 * The machine's date is set by years, forwards and backwards, in the middle of a hand-over: nothing in it goes by the date.
 */
import assert from "node:assert/strict";
import { runDestination } from "../../../lib/migrate/destination.ts";
import { findJournals, openJournal } from "../../../lib/migrate/journal.ts";
import { Lease } from "../../../lib/migrate/lease.ts";
import { runSource } from "../../../lib/migrate/source.ts";
import { readRegistrations } from "../../../lib/pr/read_state.ts";
import { K, ports, runs, scene } from "../../support/hand_over_scene.ts";
import { linked } from "../../support/linked.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const YEARS = 10 * 365 * 24 * 3600 * 1000;

/** Every look at the date shows another year, up and down, until `restore`. */
function wildDate(): { restore: () => void } {
  const real = Date.now;
  let looks = 0;
  Date.now = () => real() + (++looks % 2 === 0 ? YEARS : -YEARS);
  return { restore: () => void (Date.now = real) };
}

for (const duplex of [false, true]) {
  Deno.test(`a date that jumps by years moves no deadline, ${duplex ? "two-way" : "one-way"}`, async () => {
    const s = await scene({ type: 5, clock: new VirtualClock() });
    const links = duplex ? linked(s.clock) : { source: undefined, destination: undefined };
    const { source, destination } = await runs(s, ports(s, [], links.source), ports(s, [], links.destination), 5000);
    const date = wildDate();
    try {
      const gate = duplex ? () => s.clock.sleep(60_000) : undefined;
      const ends = await Promise.all([runSource(source, new Lease(5000, 0), gate), runDestination(destination)]);
      assert.deepEqual(ends.map((end) => end.outcome), ["moved", "moved"]);
    } finally {
      date.restore();
    }
    const { registrations } = await readRegistrations(s.lun.nexus("D"));
    const holder = registrations.find((r) => r.holder)!;
    assert.deepEqual([holder.transportId!.address.at(-1), holder.key], ["b", K]);
  });
}

Deno.test("how long a journal has been quiet is told by the machine's uptime, whatever its date says", async () => {
  const directory = await Deno.makeTempDir({ prefix: "prmig-test-" });
  const date = wildDate();
  try {
    const handOver = "00000000-0000-4000-8000-000000000000";
    const journal = await openJournal(directory, handOver, "source");
    await journal.write({
      prmig: 1,
      handOver,
      role: "source",
      phase: "offered",
      method: "token",
      luns: [],
      windowMs: 1,
      committed: false,
    });
    journal.release();
    // A file from the future, too.
    const path = `${directory}/${handOver}.source.json`;
    await Deno.utime(path, new Date(4e12), new Date(4e12));
    const [found] = await findJournals(directory, (path, why) => assert.fail(`${path}: ${why}`));
    assert(found!.quietMs >= 0 && found!.quietMs < 3600_000, `${found!.quietMs} ms`);
  } finally {
    date.restore();
    await Deno.remove(directory, { recursive: true });
  }
});
