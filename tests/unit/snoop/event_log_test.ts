import assert from "node:assert/strict";
import type { PrEvent } from "../../../lib/snoop/event.ts";
import { followEvents } from "../../../lib/snoop/event_feed.ts";
import { EVENT_DIRECTORY, EventLog } from "../../../lib/snoop/event_log.ts";

function event(number: number): PrEvent {
  return {
    time: "2026-01-01T00:00:00Z",
    device: `/dev/sd${number}`,
    event: "prOut",
    source: "helper",
    serviceAction: "REGISTER",
    status: "GOOD",
    key: 0n,
    newKey: BigInt(number),
    type: 0,
    before: null,
    after: null,
  };
}

async function directory(test: (run: string) => Promise<void>): Promise<void> {
  const run = Deno.makeTempDirSync({ prefix: "prmig-" });
  try {
    await test(run);
  } finally {
    Deno.removeSync(run, { recursive: true });
  }
}

/** Takes so many events, then stops following. */
async function take(run: string, count: number, fromStart: boolean, meanwhile: () => void): Promise<bigint[]> {
  const stop = new AbortController();
  const got: bigint[] = [];
  const timer = setTimeout(() => stop.abort(), 60_000);
  const feed = followEvents(run, { fromStart, signal: stop.signal });
  const first = feed.next();
  await new Promise((resolve) => setTimeout(resolve, 50));
  meanwhile();
  for (let next = await first; !next.done; next = await feed.next()) {
    got.push(next.value.newKey!);
    if (got.length >= count) break;
  }
  clearTimeout(timer);
  stop.abort();
  await feed.return(undefined);
  return got;
}

Deno.test("events reach a follower in order, over a rotation, none lost, none twice", async () => {
  await directory(async (run) => {
    using log = new EventLog(run, Deno.pid, 6000);
    log.write(event(1));
    const wanted = Array.from({ length: 40 }, (_, i) => BigInt(i + 2));
    const got = await take(run, 40, false, () => wanted.forEach((number) => log.write(event(Number(number)))));
    assert.deepEqual(got, wanted);
    const names = [...Deno.readDirSync(`${run}/${EVENT_DIRECTORY}`)].map(({ name }) => name).sort();
    assert.deepEqual(names, [`helper-${Deno.pid}.1.ndjson`, `helper-${Deno.pid}.ndjson`]);
  });
});

Deno.test("a follower from the start sees what was there, and two helpers at once", async () => {
  await directory(async (run) => {
    using log = new EventLog(run);
    log.write(event(1));
    const child = new Deno.Command("sleep", { args: ["30"] }).spawn();
    try {
      let other: EventLog | undefined;
      const got = await take(run, 3, true, () => {
        log.write(event(2));
        other = new EventLog(run, child.pid);
        other.write(event(3));
      });
      other?.close();
      assert.deepEqual(got.toSorted(), [1n, 2n, 3n]);
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  });
});

Deno.test("a new log removes what dead helpers left, and nothing else", async () => {
  await directory((run) => {
    Deno.mkdirSync(`${run}/${EVENT_DIRECTORY}`);
    const write = (name: string): void => Deno.writeTextFileSync(`${run}/${EVENT_DIRECTORY}/${name}`, "x");
    ["helper-999999999.ndjson", "helper-999999999.1.ndjson", "helper-1.ndjson", "notes.txt"].forEach(write);
    new EventLog(run).close();
    const names = [...Deno.readDirSync(`${run}/${EVENT_DIRECTORY}`)].map(({ name }) => name).sort();
    assert.deepEqual(names, ["helper-1.ndjson", `helper-${Deno.pid}.ndjson`, "notes.txt"].sort());
    return Promise.resolve();
  });
});
