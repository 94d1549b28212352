import assert from "node:assert/strict";
import { UNKNOWN_PORT } from "../../../lib/pr/tracker_observe.ts";
import type { LunPath } from "../../../lib/snoop/lun_path.ts";
import { NexusBook } from "../../../lib/snoop/nexus_book.ts";
import { lunFile, readLun } from "../../../lib/snoop/state.ts";

const LUN = "naa.6001405000000001";
const WHO = { id: "1@2", pid: Deno.pid, startTicks: null, uid: 0, program: "guest" };

function path(devno = "8:0", nexusId = "2:0:0:0"): LunPath {
  const names = { designator: LUN, lunId: LUN, nexusId, hctl: nexusId, devno, device: "/dev/sda", block: "/dev/sda" };
  return { ...names, sg: null, multipath: null, own: UNKNOWN_PORT };
}

async function withBook(
  test: (book: NexusBook, onDisk: () => Promise<string | undefined>) => Promise<void>,
): Promise<void> {
  const run = Deno.makeTempDirSync({ prefix: "prmig-" });
  Deno.mkdirSync(`${run}/luns`);
  const failed: string[] = [];
  const book = new NexusBook(run, { corrupt: (file) => failed.push(file), failed: (file) => failed.push(file) });
  try {
    await test(book, async () => {
      await book.flush();
      return readLun(lunFile(run, LUN))?.nexuses[0]?.clients[0]?.lastSeen;
    });
    assert.deepEqual(failed, []);
  } finally {
    await book.flush();
    Deno.removeSync(run, { recursive: true });
  }
}

Deno.test("NexusBook: a client that goes on sending has its lastSeen written once a minute, not at each command", () =>
  withBook(async (book, onDisk) => {
    const entry = book.entry(path());
    const at = (time: string): unknown => book.noteClient(entry, WHO, time);
    at("2026-11-29T20:08:10.000Z");
    assert.equal(await onDisk(), "2026-11-29T20:08:10.000Z");
    for (let second = 11; second < 60; second++) at(`2026-11-29T20:08:${second}.000Z`);
    assert.equal(book.writing, false, "nothing is written within the minute");
    at("2026-11-29T20:09:00.000Z");
    assert.equal(await onDisk(), "2026-11-29T20:09:00.000Z");
  }));

Deno.test("NexusBook: a path looked up anew is the same nexus; another H:C:T:L is another one", () =>
  withBook((book) => {
    const entry = book.entry(path());
    const [again, other] = [path("8:16"), path("8:0", "2:0:0:1")];
    assert.equal(book.entry(again), entry);
    assert.equal(entry.path, again, "as it was looked up last");
    assert.notEqual(book.entry(other), entry);
    assert.equal(book.entries().length, 2);
    return Promise.resolve();
  }));
