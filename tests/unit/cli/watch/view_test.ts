import assert from "node:assert/strict";
import fc from "fast-check";
import { colours } from "../../../../lib/cli/colour.ts";
import { ageText } from "../../../../lib/cli/watch/age.ts";
import { keyNames, Screen } from "../../../../lib/cli/watch/screen.ts";
import { fit, paint, span, spread, widthOf, wrapSpans } from "../../../../lib/cli/watch/spans.ts";
import { drawView, type ViewModel } from "../../../../lib/cli/watch/view.ts";
import type { PrEvent } from "../../../../lib/snoop/event.ts";
import type { LunStatus } from "../../../../lib/snoop/watch.ts";

const PLAIN = colours(false);
const NOW_US = Date.UTC(2026, 0, 1, 12) * 1000;

function status(more: Partial<LunStatus> = {}): LunStatus {
  return {
    device: "/dev/sg3",
    lun: "naa.6001405a0a0a0a0",
    state: {
      generation: 7,
      reservation: { key: 0x123abcn, type: 5, scope: 0 },
      registrations: [
        {
          key: 0xdef0n,
          holder: false,
          relativeTargetPort: 2,
          transportId: { protocol: "iscsi", address: "iqn.2026-01.x:b" },
        },
        {
          key: 0x123abcn,
          holder: true,
          relativeTargetPort: 1,
          transportId: { protocol: "sas", address: "500140000000aaaa" },
        },
        { key: 0x70726d67_00000001n, holder: false, relativeTargetPort: null, transportId: null },
      ],
    },
    isOwn: ({ holder, transportId }) => transportId === null ? null : holder,
    trouble: null,
    since: { wallUs: NOW_US - 125_000_000, seen: true },
    ...more,
  };
}

function event(ageMs: number, more: Partial<PrEvent> = {}): PrEvent {
  return {
    time: new Date(NOW_US / 1000 - ageMs).toISOString(),
    device: "/dev/sg3",
    event: "prOut",
    source: "kernel",
    serviceAction: "PREEMPT",
    status: "GOOD",
    statusByte: 0,
    key: 0xdef0n,
    newKey: 0x123abcn,
    type: 5,
    before: null,
    after: null,
    program: "sg_persist",
    pid: 4711,
    ...more,
  };
}

function model(more: Partial<ViewModel> = {}): ViewModel {
  const sight = "kernel events with keys; read every 1 s";
  return { luns: [status()], history: [event(65_000)], sight, nowUs: NOW_US, scroll: 0, ...more };
}

const draw = (m: ViewModel, columns = 80, rows = 24): string[] => [...drawView(m, { columns, rows }, PLAIN).lines];

Deno.test("the view at 80x24: holder first, ours marked, a token named, ages, nothing cut", () => {
  const lines = draw(model());
  assert.equal(lines.length, 24);
  assert.deepEqual(lines.slice(1, 10).map((line) => line.trimEnd()), [
    "/dev/sg3  naa.6001405a0a0a0a0                                       generation 7",
    "  WE-RO  0x0000000000123abc  Write Exclusive, Registrants Only         for 2m05s",
    "  * 0x0000000000123abc  ours  sas 500140000000aaaa  port 1",
    "    0x000000000000def0        iscsi iqn.2026-01.x:b  port 2",
    "    0x70726d6700000001  ?     initiator not told  prmig's token",
    "-- history ---------------------------------------------------------------------",
    " 1m05s  PREEMPT 0x000000000000def0 over 0x0000000000123abc WE-RO  GOOD  by",
    "        sg_persist[4711]",
    "",
  ]);
  assert.match(lines[0]!, /^prmig watch {2}kernel events with keys; read every 1 s +\d\d:\d\d:\d\d$/);
  assert.match(lines[23]!, /^q quit/);
});

Deno.test("the view says what is wrong with one LUN and shows the other", () => {
  const gone = status({ device: "/dev/sg4", trouble: "/dev/sg4 is gone", state: null, since: null });
  const stale = status({ device: "/dev/sg5", trouble: "no answer for 7 s" });
  const text = draw(model({ luns: [gone, stale] })).join("\n");
  assert.match(text, /\/dev\/sg4 .*\n {2}cannot be read: \/dev\/sg4 is gone\n/);
  assert.match(text, /\/dev\/sg5 .*\n {2}cannot be read: no answer for 7 s\n {2}WE-RO {2}0x/);
});

Deno.test("the view says what a LUN is like before it is read, unreserved, empty, held by all", () => {
  const nobody = { generation: 0, reservation: null, registrations: [] };
  const all = { ...status().state!, reservation: { key: 0n, type: 8, scope: 0 } };
  const text = draw(
    model({
      luns: [
        status({ state: null }),
        status({ state: nobody, since: { wallUs: NOW_US, seen: false } }),
        status({ state: all }),
      ],
    }),
    120,
    40,
  ).join("\n");
  assert.match(text, /being read \.\.\./);
  assert.match(text, /not reserved +for 0s\+\n {2}nobody is registered/);
  assert.match(text, /EA-AR {2}every registrant {2}Exclusive Access, All Registrants/);
});

Deno.test("the view leaves the history its rows: many registrants are counted", () => {
  const many = Array.from({ length: 40 }, (_, i) => ({
    key: BigInt(i + 1),
    holder: i === 39,
    relativeTargetPort: 1,
    transportId: null,
  }));
  const state = { ...status().state!, registrations: many };
  const lines = draw(model({ luns: [status({ state }), status({ device: "/dev/sg4" })] }));
  assert.ok(lines.some((line) => line.includes("* 0x0000000000000028")), "the holder is shown");
  assert.ok(lines.some((line) => /\.\.\. and \d+ more/.test(line)));
  const heading = lines.findIndex((line) => line.startsWith("-- history"));
  assert.ok(heading > 0 && heading <= 24 - 1 - 6 - 1, `history begins in row ${heading}`);
});

Deno.test("the history follows, scrolls back, and says how far", () => {
  const history = Array.from({ length: 50 }, (_, i) => event((50 - i) * 1000, { event: "note", note: `entry ${i}` }));
  const following = draw(model({ history }));
  assert.ok(following.some((line) => line.includes("entry 49")));
  const back = drawView(model({ history, scroll: 10 }), { columns: 80, rows: 24 }, PLAIN);
  assert.ok(back.lines.some((line) => line.includes("(10 lines back; End follows)")));
  assert.ok(back.lines.some((line) => line.includes("entry 39")));
  assert.ok(!back.lines.some((line) => line.includes("entry 40")));
  const top = drawView(model({ history, scroll: back.mostScroll }), { columns: 80, rows: 24 }, PLAIN);
  assert.ok(top.lines.some((line) => line.includes("entry 0")));
});

Deno.test("events of several devices name theirs", () => {
  const luns = [status(), status({ device: "/dev/sg4" })];
  assert.ok(draw(model({ luns })).some((line) => line.startsWith(" 1m05s  /dev/sg3  PREEMPT")));
});

Deno.test("what a process calls itself cannot act on the terminal", () => {
  const text = draw(model({ history: [event(0, { program: "\x1b[2Jevil\u202e" })] })).join("\n");
  assert.ok(text.includes("\\x1b[2Jevil\\u{202e}"), text);
});

Deno.test("the view never exceeds its size, whatever it shows", () => {
  const anyEvent = fc.record({
    program: fc.string({ unit: "binary", maxLength: 15 }),
    note: fc.string({ maxLength: 200 }),
  })
    .map(({ program, note }) => event(1000, { program, note, event: note.length % 2 === 0 ? "change" : "prOut" }));
  fc.assert(
    fc.property(
      fc.array(anyEvent, { maxLength: 30 }),
      fc.integer({ min: 1, max: 220 }),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(100),
      (history, columns, rows, scroll) => {
        const lines = draw(
          model({ history, scroll, luns: [status(), status({ device: "/dev/" + "x".repeat(60) })] }),
          columns,
          rows,
        );
        assert.ok(lines.length <= rows);
        for (const line of lines) assert.ok(line.length <= columns, `${line.length} > ${columns}: ${line}`);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("spans are measured without their colours", () => {
  const spans = [span("abc", "bad"), span(" def")];
  assert.equal(widthOf(spans), 7);
  assert.equal(paint(spans, colours(true)), "\x1b[31mabc\x1b[0m def");
  assert.equal(paint(fit(spans, 6), PLAIN), "abc...");
  assert.equal(paint(spread(spans, [span("x")], 12), PLAIN), "abc def    x");
  assert.equal(paint(spread(spans, [span("too long")], 12), PLAIN), "abc def");
  const wrapped = wrapSpans([span("one two three "), span("fourfourfourfour", "good")], 9, 2);
  assert.deepEqual(wrapped.map((line) => paint(line, PLAIN).trimEnd()), [
    "one two",
    "  three",
    "  fourfou",
    "  rfourfo",
    "  ur",
  ]);
});

Deno.test("ages are short and never negative", () => {
  const ages = [-5, 0, 59, 60, 3599, 3600, 86_399, 86_400, 40 * 86_400].map((s) => ageText(s * 1_000_000));
  assert.deepEqual(ages, ["0s", "0s", "59s", "1m00s", "59m59s", "1h00m", "23h59m", "1d00h", "40d00h"]);
});

Deno.test("keys are told by name, other input is passed over", () => {
  assert.deepEqual(keyNames("q\x1b[A\x1b[6~x\x1bOH\x1b[1;5Dj\x0c"), [
    "quit",
    "up",
    "pageDown",
    "home",
    "down",
    "redraw",
  ]);
});

Deno.test("Screen writes only lines that differ, everything after a resize, and gives the terminal back once", () => {
  let size = { columns: 20, rows: 3 };
  const written: string[] = [];
  const screen = new Screen({
    write: (text) => written.push(text),
    size: () => size,
    onResize: () => () => {},
    onKey: () => () => {},
  });
  screen.draw(["a", "b", "c"]);
  screen.draw(["a", "B", "c"]);
  screen.draw(["a", "B", "c"]);
  size = { columns: 30, rows: 3 };
  screen.draw(["a", "B"]);
  screen.forget();
  screen.draw(["a", "B"]);
  screen.close();
  screen.close();
  const line = (row: number, text: string): string => `\x1b[${row};1H\x1b[K${text}`;
  assert.deepEqual(written, [
    "\x1b[?1049h\x1b[?25l\x1b[?7l" + line(1, "a") + line(2, "b") + line(3, "c"),
    line(2, "B"),
    line(1, "a") + line(2, "B") + "\x1b[3;1H\x1b[J",
    "\x1b[?1049h\x1b[?25l\x1b[?7l",
    line(1, "a") + line(2, "B") + "\x1b[3;1H\x1b[J",
    "\x1b[3;1H\x1b[?7h\x1b[?25h\x1b[?1049l",
  ]);
});
