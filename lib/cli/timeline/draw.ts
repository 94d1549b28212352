/**
 * A timeline as a picture: an SVG tree, for a file of its own or inside a page.
 *
 *                            06:15        06:20        06:25
 *     naa.6001405...         |            |            |
 *       sas 5001...aaaa      [### key ####]
 *       sas 5001...bbbb           [--- key ---][### key #########]
 *       commands             o   o     x      o
 *
 * Solid: holds; pale: registered; a colour is a key. Every part has a title that a browser shows under the pointer.
 *
 * Pure.
 *
 * @module
 */
import { type Result, s } from "hastscript";
import { formatKey } from "../../pr/types.ts";
import type { Lane, Mark, Stretch, Timeline, TimelineLun } from "../../snoop/timeline.ts";
import { clean } from "../clean.ts";
import { paint } from "../watch/spans.ts";
import { eventSpans, typeText } from "../watch/text.ts";
import { colours } from "../colour.ts";
import { type Axis, timeAxis } from "./scale.ts";

const WIDTH = 1200, LEFT = 300, RIGHT = 20;
const TOP = 64, HEADING = 30, LANE = 24, BAR = 16, PALE_BAR = 8, MARKS = 30, GAP = 14, LEGEND = 56;
/** Marks nearer than this are drawn as one. */
const BUCKET_PX = 7;
/** Width of a character of the small fixed font. */
const CHARACTER_PX = 6.7;
const NAME_CHARACTERS = 40;
const NO_COLOUR = colours(false);

/** One-time keys of a hand-over begin with ASCII `prmg`; they are drawn in one colour of their own. */
const TOKEN_PREFIX = 0x70726d67n, TOKEN_COLOUR = "#6b7280";
const PALETTE = [
  "#2563eb",
  "#d97706",
  "#059669",
  "#9333ea",
  "#db2777",
  "#0891b2",
  "#65a30d",
  "#b45309",
  "#4f46e5",
  "#be123c",
];

const MARK_STYLE: Readonly<Record<Mark["kind"], { colour: string; shape: string; says: string }>> = {
  done: { colour: "#111827", shape: "M0-4.5a4.5 4.5 0 1 0 .01 0z", says: "command done" },
  failed: {
    colour: "#dc2626",
    shape: "M-4.5-3l1.5-1.5 3 3 3-3 1.5 1.5-3 3 3 3-1.5 1.5-3-3-3 3-1.5-1.5 3-3z",
    says: "command failed",
  },
  conflict: { colour: "#dc2626", shape: "M0-5l5 9h-10z", says: "conflict of ordinary I/O" },
  attention: { colour: "#d97706", shape: "M0-5l5 5-5 5-5-5z", says: "unit attention" },
  lost: { colour: "#9333ea", shape: "M-4.5-4.5h9v9h-9z", says: "events lost" },
  note: { colour: "#2563eb", shape: "M-4.5-2h9v4h-9z", says: "note" },
};

/** Draws a timeline. The picture is 1200 wide and as high as it needs. */
export function drawTimeline(timeline: Timeline): Result {
  const axis = timeAxis(timeline.fromMs, timeline.toMs, LEFT, WIDTH - RIGHT);
  const colourOf = keyColours(timeline);
  const bodies: Result[] = [];
  let y = TOP;
  for (const lun of timeline.luns) {
    bodies.push(drawLun(lun, y, axis, colourOf));
    y += lunHeight(lun) + GAP;
  }
  const height = y + LEGEND;
  const svg = s("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    width: WIDTH,
    height,
    viewBox: `0 0 ${WIDTH} ${height}`,
    fontFamily: "system-ui, sans-serif",
    fontSize: 12,
  }, [
    s("title", "Reservations over time"),
    s("defs", [hatch(), arrowHead()]),
    s("rect", { width: WIDTH, height, fill: "#ffffff" }),
    heading(timeline),
    drawAxis(axis, y),
    ...bodies,
    legend(y + 20),
  ]);
  return svg;
}

function heading({ fromMs, toMs, luns }: Timeline): Result {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", " ");
  const count = luns.length === 1 ? "1 LUN" : `${luns.length} LUNs`;
  const text = luns.length === 0 ? "no events" : `${count}, ${day(fromMs)} to ${day(toMs)} UTC`;
  return s("text", { x: 12, y: 22, fontSize: 15, fontWeight: 600, fill: "#111827" }, text);
}

function drawAxis(axis: Axis, bottom: number): Result {
  return s("g", [
    ...axis.ticks.flatMap(({ x, label }) => [
      s("line", { x1: px(x), x2: px(x), y1: TOP - 14, y2: bottom, stroke: "#e5e7eb" }),
      s("text", { x: px(x), y: TOP - 20, textAnchor: "middle", fill: "#4b5563", fontSize: 11 }, label),
    ]),
  ]);
}

function lunHeight({ lanes }: TimelineLun): number {
  return HEADING + Math.max(1, lanes.length) * LANE + MARKS;
}

function drawLun(lun: TimelineLun, top: number, axis: Axis, colourOf: (key: bigint) => string): Result {
  const laneY = (at: number): number => top + HEADING + at * LANE + LANE / 2;
  const below = top + HEADING + Math.max(1, lun.lanes.length) * LANE;
  const others = lun.devices.filter((device) => device !== lun.name).map(clean).join(", ");
  const background = s("rect", {
    x: 8,
    y: top,
    width: WIDTH - 16,
    height: lunHeight(lun),
    rx: 6,
    fill: "#f9fafb",
    fillOpacity: 0.6,
    stroke: "#e5e7eb",
  });
  return s("g", [
    background,
    s("text", { x: 16, y: top + 20, fontWeight: 600, fill: "#111827" }, [
      clean(lun.name),
      s("tspan", { dx: 10, fontWeight: 400, fill: "#6b7280" }, others),
    ]),
    ...lun.blind.map(({ fromMs, toMs, why }) =>
      s("rect", {
        x: px(axis.x(fromMs)),
        y: top + HEADING,
        width: px(Math.max(1, axis.x(toMs) - axis.x(fromMs))),
        height: below - top - HEADING,
        fill: "url(#hatch)",
      }, [s("title", `not seen: ${clean(why)}`)])
    ),
    ...(lun.lanes.length === 0
      ? [s("text", { x: 24, y: laneY(0) + 4, fill: "#6b7280" }, "nobody was registered")]
      : []),
    ...lun.lanes.map((lane, at) => drawLane(lane, laneY(at), axis, colourOf)),
    ...lun.takeovers.map(({ atMs, from, to }) =>
      s("line", {
        x1: px(axis.x(atMs)),
        x2: px(axis.x(atMs)),
        y1: laneY(from),
        y2: laneY(to) + (to > from ? -BAR / 2 - 3 : BAR / 2 + 3),
        stroke: "#111827",
        strokeWidth: 1.5,
        markerEnd: "url(#arrow)",
      }, [s("title", `${clean(lun.lanes[to]!.name)} took the reservation from ${clean(lun.lanes[from]!.name)}`)])
    ),
    s("text", { x: 24, y: below + 18, fill: "#6b7280" }, "commands and events"),
    ...drawMarks(lun.marks, below + 14, axis),
  ]);
}

function drawLane(lane: Lane, y: number, axis: Axis, colourOf: (key: bigint) => string): Result {
  const name = clean(lane.name);
  const shown = name.length > NAME_CHARACTERS ? `${name.slice(0, NAME_CHARACTERS - 3)}...` : name;
  const own = lane.own === true ? [s("tspan", { dx: 6, fill: "#059669", fontWeight: 600 }, "ours")] : [];
  return s("g", [
    s("text", { x: 24, y: y + 4, fill: "#374151", fontSize: 11 }, [s("title", name), shown, ...own]),
    ...lane.stretches.map((stretch) => drawStretch(stretch, y, axis, colourOf)),
  ]);
}

function drawStretch(
  { fromMs, toMs, key, holder, type }: Stretch,
  y: number,
  axis: Axis,
  colourOf: (key: bigint) => string,
): Result {
  const x = axis.x(fromMs), width = Math.max(2, axis.x(toMs) - x);
  const height = holder ? BAR : PALE_BAR;
  const label = keyLabel(key, holder && type > 0 ? ` ${typeText(type)}` : "", width - 8);
  const says = `${formatKey(key)} ${holder ? `held the LUN, ${typeText(type)}` : "was registered"} for ${
    seconds(toMs - fromMs)
  }`;
  return s("g", [
    s("rect", {
      x: px(x),
      y: px(y - height / 2),
      width: px(width),
      height,
      rx: 2,
      fill: colourOf(key),
      fillOpacity: holder ? 1 : 0.45,
    }, [s("title", says)]),
    ...(label === "" ? [] : [s("text", {
      x: px(x + 4),
      y: px(holder ? y + 4 : y - PALE_BAR / 2 - 1),
      fontSize: holder ? 11 : 9,
      fontFamily: "ui-monospace, monospace",
      fill: holder ? "#ffffff" : "#4b5563",
      pointerEvents: "none",
    }, label)]),
  ]);
}

/** As much of key and type as fits; the end of a key tells more than its zeros. */
function keyLabel(key: bigint, type: string, width: number): string {
  const whole = formatKey(key), digits = key.toString(16);
  const choices = [whole + type, whole, `0x${digits}${type}`, `0x${digits}`, `..${digits.slice(-4)}`];
  return choices.find((choice) => choice.length * CHARACTER_PX <= width) ?? "";
}

function drawMarks(marks: readonly Mark[], y: number, axis: Axis): Result[] {
  const buckets = new Map<string, Mark[]>();
  for (const mark of marks) {
    const name = `${Math.floor(axis.x(mark.atMs) / BUCKET_PX)} ${mark.kind}`;
    const bucket = buckets.get(name);
    if (bucket) bucket.push(mark);
    else buckets.set(name, [mark]);
  }
  return [...buckets.values()].map((same) => {
    const { kind, atMs } = same[0]!;
    const { colour, shape, says } = MARK_STYLE[kind];
    const told = same.slice(0, 12).map(({ event }) =>
      `${event.time.slice(11, 23)}  ${clean(event.device)}  ${plain(event)}`
    );
    const more = same.length > told.length ? [`and ${same.length - told.length} more`] : [];
    const title = s("title", [`${same.length === 1 ? says : `${same.length} x ${says}`}`, ...told, ...more].join("\n"));
    return s("g", { transform: `translate(${px(axis.x(atMs))} ${y})` }, [
      s("path", { d: shape, fill: colour }, [title]),
      ...(same.length > 1
        ? [s("text", { y: 14, textAnchor: "middle", fontSize: 8, fill: colour }, String(same.length))]
        : []),
    ]);
  });
}

function plain(event: Mark["event"]): string {
  return paint(eventSpans(event), NO_COLOUR);
}

function legend(y: number): Result {
  const marks = Object.values(MARK_STYLE);
  return s("g", { fill: "#4b5563", fontSize: 11 }, [
    s("rect", { x: 16, y: y - BAR / 2, width: 36, height: BAR, rx: 2, fill: PALETTE[0] }),
    s("text", { x: 58, y: y + 4 }, "holds the reservation"),
    s("rect", { x: 196, y: y - PALE_BAR / 2, width: 36, height: PALE_BAR, rx: 2, fill: PALETTE[0], fillOpacity: 0.45 }),
    s("text", { x: 238, y: y + 4 }, "registered (a colour is a key; grey: a hand-over's token)"),
    s("rect", { x: 560, y: y - BAR / 2, width: 36, height: BAR, fill: "url(#hatch)" }),
    s("text", { x: 602, y: y + 4 }, "not seen"),
    s(
      "g",
      marks.flatMap(({ colour, shape, says }, i) => [
        s("path", { d: shape, fill: colour, transform: `translate(${26 + i * 190} ${y + 22})` }),
        s("text", { x: 38 + i * 190, y: y + 26 }, says),
      ]),
    ),
  ]);
}

function hatch(): Result {
  return s("pattern", {
    id: "hatch",
    width: 6,
    height: 6,
    patternUnits: "userSpaceOnUse",
    patternTransform: "rotate(45)",
  }, [
    s("rect", { width: 6, height: 6, fill: "#f3f4f6" }),
    s("line", { x1: 0, y1: 0, x2: 0, y2: 6, stroke: "#d1d5db", strokeWidth: 3 }),
  ]);
}

function arrowHead(): Result {
  const shape = { id: "arrow", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" };
  return s("marker", shape, [s("path", { d: "M0 0L8 4L0 8z", fill: "#111827" })]);
}

/** A colour for every key, in the order in which they come. */
function keyColours({ luns }: Timeline): (key: bigint) => string {
  const known = new Map<bigint, string>();
  const stretches = luns.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.stretches)).sort((a, b) =>
    a.fromMs - b.fromMs
  );
  for (const { key } of stretches) {
    if (known.has(key)) continue;
    const used = [...known.values()].filter((colour) => colour !== TOKEN_COLOUR).length;
    known.set(key, key >> 32n === TOKEN_PREFIX ? TOKEN_COLOUR : PALETTE[used % PALETTE.length]!);
  }
  return (key) => known.get(key)!;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 60_000 ? 1 : 0)} s`;
}

/** Two decimals are as fine as anybody sees. */
function px(value: number): number {
  return Math.round(value * 100) / 100;
}
