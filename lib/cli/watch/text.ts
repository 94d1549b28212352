/**
 * Events and states as lines for people.
 *
 *     12:00:01.234567  /dev/sg3  PREEMPT 0x000000000000000b over 0x000000000000000a, WE-RO  GOOD  sg_persist[1234]
 *     12:00:01.241002  /dev/sg3  0x...0a (sas 5001...) was preempted by 0x...0b
 *
 * Pure.
 *
 * @module
 */
import type { PrEvent } from "../../snoop/event.ts";
import { formatKey, prTypeInfo } from "../../pr/types.ts";
import { clean } from "../clean.ts";
import type { Colour } from "../colour.ts";
import { paint, type Span, span } from "./spans.ts";

/** What an event says, without its time and device. */
export function eventSpans(event: PrEvent): Span[] {
  switch (event.event) {
    case "prOut":
      return commandSpans(event);
    case "conflict":
      return [span(event.status ?? "conflict", "bad"), ...said(event)];
    case "unitAttention":
      return [span(event.status ?? "unit attention", "notice"), ...said(event)];
    case "change":
      return [span(event.note ?? "changed")];
    case "lost":
      return [span(event.note ?? "events were lost", "bad")];
    case "up":
      return [
        span(event.after ? stateText(event) : event.source === "kernel" ? "kernel events" : "seen"),
        ...said(event),
      ];
    case "down":
      return [span(event.source === "kernel" ? "no kernel events" : "cannot be read", "bad"), ...said(event)];
    case "adopted":
    case "difference":
    case "shared":
    case "note":
      return [span(event.note ?? event.event, "notice")];
  }
}

function said({ note }: PrEvent): Span[] {
  return note === undefined ? [] : [span(`: ${note}`)];
}

function commandSpans(event: PrEvent): Span[] {
  const status = event.status ?? "status unknown";
  const late = event.note?.includes("given up") === true;
  return [
    span(event.serviceAction ?? "PERSISTENT RESERVE OUT", "strong"),
    span(` ${keyWords(event).join(" ")}  `),
    span(status, event.statusByte === 0 ? "good" : "bad"),
    ...(late ? [span("  late", "notice")] : []),
    ...(event.pid === undefined ? [] : [span(`  by ${senderText(event.pid, event.program)}`, "faint")]),
  ];
}

function senderText(pid: number, program: string | undefined): string {
  return program === undefined ? `process ${pid}` : `${program}[${pid}]`;
}

/** Keys and type in the words of the action. */
function keyWords({ serviceAction, key, newKey, type }: PrEvent): string[] {
  const kind = type === null ? [] : [typeText(type)];
  if (key === null && newKey === null) return ["keys unknown", ...kind];
  const own = keyText(key);
  switch (serviceAction) {
    case "REGISTER":
    case "REGISTER AND IGNORE EXISTING KEY":
      if (newKey === 0n) return [own, "unregister"];
      if (key === 0n || serviceAction !== "REGISTER") return [keyText(newKey)];
      return key === newKey ? [own, "again"] : [own, "->", keyText(newKey)];
    case "PREEMPT":
    case "PREEMPT AND ABORT":
      return [own, "over", newKey === 0n ? "everybody" : keyText(newKey), ...kind];
    case "REGISTER AND MOVE":
      return [own, "->", keyText(newKey)];
    default:
      return [own, ...kind];
  }
}

function keyText(key: bigint | null): string {
  return key === null ? "(key unknown)" : formatKey(key);
}

/** `WE-RO`, or `type 9`. */
export function typeText(type: number): string {
  return prTypeInfo(type)?.short ?? `type ${type}`;
}

/** The state an `up` event carries, in one line. */
function stateText({ after }: PrEvent): string {
  if (!after) return "";
  const count = after.registrations?.length ?? 0;
  const registered = count === 0 ? "nobody is registered" : count === 1 ? "1 registration" : `${count} registrations`;
  if (after.type === 0 || after.type === null) return `not reserved, ${registered}`;
  const holder = after.key === null || after.key === 0n ? "every registrant" : formatKey(after.key);
  return `${holder} holds ${typeText(after.type)}, ${registered}`;
}

/** `HH:MM:SS.mmm` in local time of an ISO instant; the instant itself when it is none. */
export function clockText(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return clean(time);
  const two = (n: number): string => String(n).padStart(2, "0");
  const fraction = /\.(\d{1,6})/.exec(time)?.[1] ?? "000";
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${
    fraction.padEnd(6, "0").slice(0, 3)
  }`;
}

/** An event on one line of its own. */
export function eventLine(event: PrEvent, colour: Colour, deviceColumns: number): string {
  const head = [span(clockText(event.time), "faint"), span(`  ${clean(event.device).padEnd(deviceColumns)}  `)];
  return paint([...head, ...eventSpans(event)], colour);
}
