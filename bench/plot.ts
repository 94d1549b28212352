/**
 * Growth as a picture: both axes logarithmic, a line of slope 1 to hold the curves against. Pure.
 *
 * @module
 */
import { scaleLog } from "d3-scale";
import { toHtml } from "hast-util-to-html";
import { type Result, s } from "hastscript";
import type { Curve } from "./figure.ts";
import { round } from "./table.ts";

const WIDTH = 640, HEIGHT = 420, LEFT = 70, RIGHT = 150, TOP = 40, BOTTOM = 50;
const COLOURS = ["#2563eb", "#d97706", "#059669", "#9333ea", "#db2777", "#0891b2"];

/** The picture as an SVG file's text. */
export function plot(curve: Curve): string {
  return toHtml(draw(curve), { space: "svg" }) + "\n";
}

function draw({ name, x, y, series }: Curve): Result {
  const points = series.flatMap((each) => each.points).filter(([px, py]) => px > 0 && py > 0);
  const across = scaleLog().domain(extent(points.map(([px]) => px))).range([LEFT, WIDTH - RIGHT]);
  const up = scaleLog().domain(extent(points.map(([, py]) => py))).nice().range([HEIGHT - BOTTOM, TOP]);
  const label = (text: string, at: { x: number; y: number; anchor?: string }): Result =>
    s("text", { x: px(at.x), y: px(at.y), textAnchor: at.anchor ?? "middle", fill: "#374151" }, text);
  const grid = [
    ...decades(across.domain()).flatMap((tick) => [
      s("line", { x1: px(across(tick)), x2: px(across(tick)), y1: TOP, y2: HEIGHT - BOTTOM, stroke: "#e5e7eb" }),
      label(round(tick), { x: across(tick), y: HEIGHT - BOTTOM + 18 }),
    ]),
    ...decades(up.domain()).flatMap((tick) => [
      s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: px(up(tick)), y2: px(up(tick)), stroke: "#e5e7eb" }),
      label(round(tick), { x: LEFT - 8, y: up(tick) + 4, anchor: "end" }),
    ]),
  ];
  const curves = series.map((each, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const line = each.points.filter(([a, b]) => a > 0 && b > 0).map(([a, b]) => `${px(across(a))},${px(up(b))}`);
    return s("g", [
      s("polyline", { points: line.join(" "), fill: "none", stroke: colour, strokeWidth: 2 }),
      ...line.map((at) => s("circle", { cx: at.split(",")[0], cy: at.split(",")[1], r: 3, fill: colour })),
      s("text", { x: WIDTH - RIGHT + 12, y: TOP + 16 + 18 * i, fill: colour }, each.name),
    ]);
  });
  return s("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    width: WIDTH,
    height: HEIGHT,
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    fontFamily: "system-ui, sans-serif",
    fontSize: 12,
  }, [
    s("title", name),
    s("rect", { width: WIDTH, height: HEIGHT, fill: "#ffffff" }),
    s("text", { x: LEFT, y: 22, fontSize: 15, fontWeight: 600, fill: "#111827" }, name),
    ...grid,
    ...linear(series[0]?.points ?? [], across, up),
    ...curves,
    label(x, { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 10 }),
    label(y, { x: 12, y: TOP - 8, anchor: "start" }),
  ]);
}

type Axis = ReturnType<typeof scaleLog<number, number>>;

/** What growing in proportion would look like, from the last point of the first series backwards. */
function linear(points: Curve["series"][number]["points"], across: Axis, up: Axis): Result[] {
  const [last] = points.slice(-1);
  if (last === undefined || last[1] <= 0) return [];
  const [fromX, toX] = across.domain() as [number, number];
  const [fromY] = up.domain() as [number, number];
  const slope = last[1] / last[0];
  const begin = Math.max(fromX, fromY / slope);
  const line = { x1: px(across(begin)), y1: px(up(begin * slope)), x2: px(across(toX)), y2: px(up(toX * slope)) };
  return [s("line", { ...line, stroke: "#9ca3af", strokeDasharray: "4 4" }, [s("title", "in proportion")])];
}

function extent(values: readonly number[]): [number, number] {
  const [from, to] = [Math.min(...values), Math.max(...values)];
  return from === to ? [from / 2, to * 2] : [from, to];
}

/** Powers of ten within a domain, and of two where those would be too few. */
function decades([from, to]: number[]): number[] {
  const base = to! / from! >= 100 ? 10 : 2;
  const found: number[] = [];
  for (let tick = base ** Math.ceil(Math.log(from!) / Math.log(base) - 1e-9); tick <= to! * 1.000001; tick *= base) {
    found.push(tick);
  }
  return found;
}

function px(value: number): number {
  return Math.round(value * 10) / 10;
}
