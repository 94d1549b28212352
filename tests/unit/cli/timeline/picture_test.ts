/**
 * The timeline as a person sees it: both files in a real browser (headless Chromium), where there is one.
 *
 * The browser itself is asked where everything stands and what colour it has; a screen shot shows that something is painted.
 */
import assert from "node:assert/strict";
import { htmlFile, svgFile } from "../../../../lib/cli/timeline/page.ts";
import { eventFromJson, type PrEvent } from "../../../../lib/snoop/event.ts";

const CHROMIUM = "/usr/bin/chromium";
const PATIENCE_MS = 120_000;
const here = await isThere(CHROMIUM);

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Two registrants; one holds, is preempted by the other, and somebody's write fails. */
function story(): PrEvent[] {
  const a = { key: "0x0000000000123abc", self: true, initiator: "sas 600140000000aaaa" };
  const b = { key: "0x000000000000def0", self: false, initiator: "sas 600140000000bbbb" };
  const state = (holder: string | null, ...registrations: (typeof a)[]): unknown => ({
    ...{ key: holder, type: holder === null ? 0 : 5, generation: 1 },
    registrations: registrations.map((each) => ({ ...each, holder: each.key === holder })),
  });
  const base = { device: "/dev/sda", lun: "naa.6001405a0a0a0a0a", source: "poll", status: null, before: null };
  return [
    { ...base, time: "2026-11-23T10:00:00.000000Z", event: "up", after: state(null) },
    { ...base, time: "2026-11-23T10:00:02.000000Z", event: "change", after: state(a.key, a, b) },
    {
      ...{ ...base, source: "kernel", time: "2026-11-23T10:00:05.000000Z", event: "prOut", serviceAction: "PREEMPT" },
      ...{ status: "GOOD", statusByte: 0, key: b.key, newKey: a.key, type: 5, after: null },
    },
    { ...base, time: "2026-11-23T10:00:05.100000Z", event: "change", after: state(b.key, b) },
    {
      ...{ ...base, source: "kernel", time: "2026-11-23T10:00:06.000000Z", event: "conflict", after: null },
      ...{ status: "RESERVATION CONFLICT", note: "WRITE(10)" },
    },
    { ...base, time: "2026-11-23T10:00:09.000000Z", event: "note", after: null, note: "the end" },
  ].map((event) => eventFromJson(JSON.stringify(event))!);
}

/** Asked in the page: boxes of all texts, bars with their colours, and what the browser could not read. */
const QUESTIONS = `
<script>
addEventListener("load", () => {
  const box = (e) => { const { x, y, width, height } = e.getBoundingClientRect(); return { x, y, width, height }; };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = {
    picture: box(document.querySelector("svg")),
    texts: all("svg text").map((e) => ({ ...box(e), text: e.textContent })),
    bars: all("svg rect").map((e) => ({ ...box(e), fill: getComputedStyle(e).fill, says: e.textContent })),
    rows: all("tbody tr").length,
    errors: all("parsererror").length,
  };
  document.body.innerHTML = "";
  document.body.append(Object.assign(document.createElement("pre"), { textContent: JSON.stringify(shown) }));
});
</script>`;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
interface Shown {
  readonly picture: Box;
  readonly texts: readonly (Box & { readonly text: string })[];
  readonly bars: readonly (Box & { readonly fill: string; readonly says: string })[];
  readonly rows: number;
  readonly errors: number;
}

async function chromium(directory: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(CHROMIUM, {
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${directory}/profile`, ...args],
    ...{ stdin: "null", stdout: "piped", stderr: "piped", signal: AbortSignal.timeout(PATIENCE_MS) },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Shows a page; what the browser says of it. */
async function look(directory: string, page: string): Promise<Shown> {
  const path = `${directory}/page.html`;
  await Deno.writeTextFile(path, page.replace(/<\/body>/, `${QUESTIONS}</body>`));
  const dom = await chromium(directory, "--window-size=1400,1000", "--dump-dom", `file://${path}`);
  const json = /<pre>(.*)<\/pre>/s.exec(dom)?.[1];
  assert.ok(json, dom.slice(0, 2000));
  return JSON.parse(json.replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&"));
}

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

Deno.test({
  name: `a timeline in Chromium: bars in their lanes, every text readable and inside the picture${
    here ? "" : " (no Chromium here)"
  }`,
  ignore: !here,
  fn: async () => {
    const directory = await Deno.makeTempDir({ prefix: "prmig-picture-" });
    try {
      const shown = await look(directory, htmlFile(story()));
      assert.equal(shown.errors, 0);
      assert.equal(shown.rows, 6, "the table has every event");
      for (const text of shown.texts) {
        assert.ok(text.width > 0 && text.x >= shown.picture.x, text.text);
        assert.ok(text.x + text.width <= shown.picture.x + shown.picture.width, `${text.text} leaves the picture`);
        const other = shown.texts.find((each) => each !== text && overlap(each, text));
        assert.equal(other, undefined, `"${text.text}" and "${other?.text}" overlap`);
      }
      const held = shown.bars.filter(({ says }) => says.includes("held the LUN"));
      assert.deepEqual(held.map(({ says }) => says.slice(0, 18)), ["0x0000000000123abc", "0x000000000000def0"]);
      const [first, second] = held as [Shown["bars"][0], Shown["bars"][0]];
      assert.notEqual(first.fill, second.fill, "a colour is a key");
      assert.ok(Math.abs(first.x + first.width - second.x) < 3, "one ends where the other begins");
      assert.ok(second.y > first.y, "in lanes of their own");

      const svg = `${directory}/timeline.svg`;
      await Deno.writeTextFile(svg, svgFile(story()));
      const png = `${directory}/timeline.png`;
      await chromium(directory, "--window-size=1300,500", `--screenshot=${png}`, `file://${svg}`);
      const bytes = await Deno.readFile(png);
      assert.deepEqual([...bytes.subarray(1, 4)], [..."PNG"].map((c) => c.charCodeAt(0)));
      assert.ok(bytes.length > 8000, `${bytes.length} bytes: an empty page has about 3,000`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
