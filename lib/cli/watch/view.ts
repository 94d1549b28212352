/**
 * The live view as lines: what every LUN is like now, and below it what happened, newest last.
 *
 *     prmig watch  kernel: every command, with keys; read every 1 s          12:00:05
 *     /dev/sg3  naa.6001405...                                           generation 3
 *       WE-RO  0x0000000000123abc  Write Exclusive, Registrants Only       for 2m05s
 *       * 0x0000000000123abc  ours  sas 500140000000aaaa
 *         0x00000000000def00        iqn.1993-08.org.debian:01:lab
 *     -- history ---------------------------------------------------------------------
 *        2s  /dev/sg3  PREEMPT 0x...bc over 0x...01, WE-RO  GOOD  by sg_persist[1234]
 *     q quit  arrows, PgUp, PgDn scroll
 *
 * Pure: a model and a size give exactly `rows` lines of at most `columns` characters.
 *
 * @module
 */
import { describeTransportId } from "../../pr/describe.ts";
import { formatKey, prTypeInfo, type Registration } from "../../pr/types.ts";
import type { PrEvent } from "../../snoop/event.ts";
import type { LunStatus } from "../../snoop/watch.ts";
import type { Colour } from "../colour.ts";
import { ageText } from "./age.ts";
import { fit, paint, type Span, span, spread, widthOf, wrapSpans } from "./spans.ts";
import { eventSpans } from "./text.ts";

/** What is to be seen. */
export interface ViewModel {
  readonly luns: readonly LunStatus[];
  /** Oldest first. */
  readonly history: readonly PrEvent[];
  /** How events are had: "kernel: every command, with keys; read every 1 s". */
  readonly sight: string;
  /** Wall clock in microseconds since 1970. */
  readonly nowUs: number;
  /** Lines the history is scrolled back; 0: it follows. */
  readonly scroll: number;
}

/** A size in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A drawn view, and how far its history can be scrolled back. */
export interface Drawn {
  readonly lines: readonly string[];
  readonly mostScroll: number;
}

/** Rows the history gets at least, its heading not counted; the LUNs share the rest. */
const LEAST_HISTORY = 6;
const AGE_COLUMNS = 6;
/** Columns before the text of a continued history line. */
const CONTINUED = 10;

/** Draws. Below 20 columns or 5 rows there is only what fits. */
export function drawView(model: ViewModel, { columns, rows }: Size, colour: Colour): Drawn {
  const title = spread(
    [span("prmig watch", "strong"), span(`  ${model.sight}`)],
    [span(new Date(model.nowUs / 1000).toTimeString().slice(0, 8), "faint")],
    columns,
  );
  const panelRows = Math.max(2, rows - LEAST_HISTORY - 3);
  const panels = lunPanels(model, columns, panelRows);
  const historyRows = Math.max(0, rows - panels.length - 3);
  const { lines: history, mostScroll } = historyLines(model, columns, historyRows);
  const back = Math.min(model.scroll, mostScroll);
  const heading = `-- history ${back > 0 ? `(${back} ${back === 1 ? "line" : "lines"} back; End follows) ` : ""}`;
  const all: Span[][] = [
    title,
    ...panels,
    [span(heading.padEnd(columns, "-").slice(0, columns), "faint")],
    ...history,
    ...Array.from({ length: Math.max(0, historyRows - history.length) }, () => []),
    fit([span("q quit   arrows, Page Up, Page Down scroll the history   End follows", "faint")], columns),
  ];
  return { lines: all.slice(0, rows).map((line) => paint(fit(line, columns), colour)), mostScroll };
}

// ---- the LUNs

function lunPanels({ luns, nowUs }: ViewModel, columns: number, budget: number): Span[][] {
  const heads = luns.map((lun) => lunHead(lun, nowUs, columns));
  const people = luns.map((lun) => registrants(lun));
  // Everybody gets the same share of what the heads leave; who needs less gives the rest to others.
  let room = budget - heads.reduce((sum, head) => sum + head.length, 0);
  const shares = luns.map(() => 0);
  for (let moved = true; moved && room > 0;) {
    moved = false;
    for (let i = 0; i < luns.length && room > 0; i++) {
      if (shares[i]! >= people[i]!.length) continue;
      shares[i]!++;
      room--;
      moved = true;
    }
  }
  const lines = luns.flatMap((_, i) => [...heads[i]!, ...someOf(people[i]!, shares[i]!)]);
  if (lines.length <= budget) return lines.map((line) => fit(line, columns));
  const shown = lines.slice(0, Math.max(0, budget - 1));
  return [...shown, [span(`  ... ${lines.length - shown.length} more lines: a taller terminal shows them`, "notice")]];
}

function lunHead(lun: LunStatus, nowUs: number, columns: number): Span[][] {
  const { device, lun: designator, state, trouble } = lun;
  const name = [span(device, "strong"), span(designator === null ? "" : `  ${designator}`, "faint")];
  const generation = state === null ? [] : [span(`generation ${state.generation}`, "faint")];
  const lines = [spread(name, generation, columns)];
  if (trouble !== null) lines.push([span(`  cannot be read: ${trouble}`, "bad")]);
  if (state === null) {
    if (trouble === null) lines.push([span("  being read ...", "faint")]);
    return lines;
  }
  const since = lun.since === null
    ? []
    : [span(`for ${ageText(nowUs - lun.since.wallUs)}${lun.since.seen ? "" : "+"}`, "faint")];
  lines.push(spread(reservation(lun), since, columns));
  if (state.registrations.length === 0) lines.push([span("  nobody is registered", "faint")]);
  return lines;
}

function reservation({ state }: LunStatus): Span[] {
  const held = state!.reservation;
  if (held === null) return [span("  not reserved")];
  const info = prTypeInfo(held.type);
  // Here too, not only in the list below: where there are many LUNs, that list is what gives way.
  const holder = info?.allRegistrants ? "every registrant" : formatKey(held.key);
  return [
    span(`  ${info?.short ?? `type ${held.type}`}  ${holder}`, "strong"),
    span(`  ${info?.name ?? "a type no standard has"}`),
  ];
}

/** Holders first, then ours, then the others as the device lists them. */
function registrants({ state, isOwn }: LunStatus): Span[][] {
  if (state === null) return [];
  const rank = (r: Registration): number => (r.holder ? 0 : 2) + (isOwn(r) === true ? 0 : 1);
  return state.registrations.toSorted((a, b) => rank(a) - rank(b)).map((registration) => {
    const { key, holder, transportId, relativeTargetPort } = registration;
    const own = isOwn(registration);
    return [
      span(holder ? "  * " : "    ", "strong"),
      span(formatKey(key), holder ? "strong" : "plain"),
      span(own === true ? "  ours  " : own === null ? "  ?     " : "        ", own === true ? "good" : "faint"),
      span(transportId === null ? "initiator not told" : describeTransportId(transportId)),
      span(relativeTargetPort === null ? "" : `  port ${relativeTargetPort}`, "faint"),
      span(isToken(key) ? "  prmig's token" : "", "notice"),
    ];
  });
}

/** One-time keys of a hand-over begin with ASCII `prmg`. */
function isToken(key: bigint): boolean {
  return key >> 32n === 0x70726d67n;
}

function someOf(lines: readonly Span[][], most: number): Span[][] {
  if (lines.length <= most) return [...lines];
  if (most === 0) return [];
  return [...lines.slice(0, most - 1), [span(`    ... and ${lines.length - most + 1} more`, "notice")]];
}

// ---- the history

function historyLines(
  { history, nowUs, scroll, luns }: ViewModel,
  columns: number,
  rows: number,
): { lines: Span[][]; mostScroll: number } {
  const device = luns.length > 1 || history.some((event) => event.device !== luns[0]?.device);
  const lines: Span[][] = [];
  // From the newest back, as far as anybody can see: a long history costs nothing.
  let at = history.length - 1;
  const wanted = rows + scroll;
  while (at >= 0 && lines.length < wanted) lines.unshift(...entry(history[at--]!, nowUs, columns, device));
  let above = 0;
  if (at >= 0) above = at + 1; // entries take a line each at least
  const mostScroll = Math.max(0, lines.length + above - rows);
  const end = Math.max(Math.min(rows, lines.length), lines.length - Math.min(scroll, mostScroll));
  return { lines: lines.slice(Math.max(0, end - rows), end), mostScroll };
}

function entry(event: PrEvent, nowUs: number, columns: number, device: boolean): Span[][] {
  const age = ageText(nowUs - Date.parse(event.time) * 1000).padStart(AGE_COLUMNS);
  const head = [span(`${age}  `, "faint"), span(device ? `${event.device}  ` : "")];
  const text = event.event === "change" ? [span("= ", "notice"), ...eventSpans(event)] : eventSpans(event);
  return wrapSpans([...head, ...text], columns, Math.min(CONTINUED, widthOf(head)));
}
