import assert from "node:assert/strict";
import fc from "fast-check";
import { htmlFile, svgFile } from "../../../../lib/cli/timeline/page.ts";
import { timeAxis } from "../../../../lib/cli/timeline/scale.ts";
import { eventFromJson, eventToJson, type PrEvent } from "../../../../lib/snoop/event.ts";
import { memoryWorld, prmig, type Ran } from "../../../support/cli_world.ts";
import { assertGolden } from "../../../support/golden.ts";
import { main } from "../../../../lib/cli/main.ts";

const RECORDED = new URL("../../../vectors/timeline_events.ndjson", import.meta.url).pathname;

function recorded(): PrEvent[] {
  return Deno.readTextFileSync(RECORDED).split("\n").flatMap((line) => eventFromJson(line) ?? []);
}

/** Element names in order; fails unless every tag is closed in its turn and no text holds a bare `<`. */
function elements(xml: string): string[] {
  const names: string[] = [], open: string[] = [];
  const body = xml.replace(/^<\?xml[^>]*\?>\s*/, "");
  const rest = body.replaceAll(
    /<(\/?)([a-zA-Z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>/g,
    (_, end, name, __, empty) => {
      if (end) assert.equal(open.pop(), name);
      else {
        names.push(name);
        if (!empty) open.push(name);
      }
      return "";
    },
  );
  assert.deepEqual([open, /</.exec(rest)?.[0]], [[], undefined]);
  return names;
}

Deno.test("the picture of a recorded hand-over", () => {
  const svg = svgFile(recorded());
  elements(svg);
  assertGolden("timeline.svg", svg);
});

Deno.test("the page holds the picture and every event, in order, and nothing from elsewhere", () => {
  const events = recorded();
  const html = htmlFile(events.toReversed());
  assert.equal(html.match(/<tr[ >]/g)!.length, events.length + 1);
  const times = [...html.matchAll(/<tr[^>]*><td>([^<]+)<\/td>/g)].map(([, time]) => time);
  assert.deepEqual(times, times.toSorted());
  assert.doesNotMatch(html, /<script|<link|src=|href=|url\((?!#)|@import/);
  assert.match(html, /^<!doctype html>\n<html lang="en"><head><meta charset="utf-8">/);
});

const event = (atMs: number, more: Partial<PrEvent> = {}): PrEvent => ({
  ...{ time: new Date(Date.UTC(2026, 0, 1) + atMs).toISOString(), device: "/dev/sda", lun: "naa.1" },
  ...{ event: "prOut", source: "kernel", serviceAction: "RESERVE", status: "GOOD", statusByte: 0 },
  ...{ key: 1n, newKey: null, type: 5, before: null, after: null },
  ...more,
} as PrEvent);

Deno.test("names of devices and processes are text in the picture, whatever they are", () => {
  const hostile = `</text><script>alert("1")</script>&<![CDATA[ ]]> \u0000\u001b\u202e`;
  fc.assert(
    fc.property(fc.oneof(fc.constant(hostile), fc.string({ unit: "binary", maxLength: 40 })), (name) => {
      const registrations = [{ key: 1n, holder: true, self: null, initiator: name }];
      const svg = svgFile([
        event(0, { device: name, lun: name, program: name, note: name, status: name }),
        event(5, {
          event: "change",
          source: "poll",
          after: { key: 1n, type: 5, registrations },
          lun: name,
          note: name,
        }),
        event(9, { event: "down", source: "poll", note: name, lun: name }),
      ]);
      assert.ok(!elements(svg).includes("script"));
      assert.equal([...svg].findIndex((c) => c < " " && c !== "\n"), -1, "no control characters");
    }),
    { numRuns: 100 },
  );
});

Deno.test("thousands of commands are drawn as a few hundred marks with counts", () => {
  const svg = svgFile(Array.from({ length: 5000 }, (_, i) => event(i * 3)));
  assert.ok(elements(svg).filter((name) => name === "path").length < 200);
  const counts = [...svg.matchAll(/font-size="8"[^>]*>(\d+)</g)].map(([, count]) => Number(count));
  assert.equal(counts.reduce((sum, count) => sum + count, 0), 5000);
});

Deno.test("the axis names round instants, and takes one instant alone", () => {
  const minutes = timeAxis(Date.UTC(2026, 0, 1, 6, 0, 7), Date.UTC(2026, 0, 1, 6, 31), 0, 900);
  assert.deepEqual(minutes.ticks.map(({ label }) => label), [
    "06:00",
    "06:05",
    "06:10",
    "06:15",
    "06:20",
    "06:25",
    "06:30",
  ]);
  const days = timeAxis(Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 9), 0, 900);
  assert.match(days.ticks[0]!.label, /^2026-01-\d\d$/);
  const instant = timeAxis(1000, 1000, 0, 900);
  assert.equal(Math.round(instant.x(1000)), 450);
  const narrow = timeAxis(0.25, 0.75, 0, 1000);
  assert.ok(narrow.x(0.75) - narrow.x(0.25) > 100, "parts of a millisecond have their places");
});

async function inDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("timeline FILE -o writes a picture or a page by its name, and tells of lines that are no events", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/e.ndjson`, `${eventToJson(event(0))}\n{"half":\n\nrubbish\n`);
    const ran = await prmig(["timeline", `${directory}/e.ndjson`, "-o", `${directory}/o.svg`]);
    assert.deepEqual(ran, { code: 0, stdout: "", stderr: "note: 2 lines are no event and left out\n" });
    assert.match(await Deno.readTextFile(`${directory}/o.svg`), /^<\?xml/);
    assert.equal((await prmig(["timeline", `${directory}/e.ndjson`, "--output", `${directory}/o.html`])).code, 0);
    assert.match(await Deno.readTextFile(`${directory}/o.html`), /^<!doctype html>/);
  });
});

Deno.test("timeline reads standard input and writes standard output", async () => {
  const world = memoryWorld({ stdin: eventToJson(event(0)) + "\n" });
  assert.equal(await main(["timeline", "-"], world), 0);
  elements(world.stdout().trim());
});

const WRONG: readonly [words: string, code: number, said: RegExp][] = [
  ["timeline /nonexistent.ndjson", 1, /Cannot read \/nonexistent\.ndjson/],
  ["timeline /dev/null", 1, /There are no events in \/dev\/null/],
  ["timeline /dev/null -o out.png", 2, /ends in \.svg or \.html/],
  ["timeline", 2, /FILE/],
];
for (const [words, code, said] of WRONG) {
  Deno.test(`prmig ${words}: exit ${code}, and says why`, async () => {
    const ran: Ran = await prmig(words);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, said);
  });
}
