/**
 * What QEMU says, as values: greeting, events, answers. Pure.
 *
 *     {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}, "package": ""}, "capabilities": ["oob"]}}
 *     {"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}, "data": {}}
 *     {"return": {}, "id": 1}
 *     {"error": {"class": "GenericError", "desc": "..."}, "id": 1}
 *
 * @module
 */
import * as v from "valibot";

/** QEMU's version. */
export interface QemuVersion {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
  /** What a distribution adds to it. */
  readonly package: string;
}

/** Something that happened in QEMU. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One message of QEMU. An `id` of `null`: none came, or none of ours. */
export type QmpMessage =
  | { readonly kind: "greeting"; readonly version: QemuVersion }
  | { readonly kind: "event"; readonly event: QmpEvent }
  | { readonly kind: "return"; readonly id: number | null; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number | null; readonly errorClass: string; readonly desc: string };

/** A text that is no message of QMP. */
export class NotQmp extends Error {
  override readonly name = "NotQmp";
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const greeting = v.object({
  version: v.object({
    qemu: v.object({ major: count, minor: count, micro: count }),
    package: v.optional(v.string(), ""),
  }),
  capabilities: v.array(v.unknown()),
});
const event = v.object({
  event: v.pipe(v.string(), v.minLength(1)),
  data: v.optional(v.record(v.string(), v.unknown()), {}),
  timestamp: v.object({ seconds: v.number(), microseconds: v.number() }),
});
const failure = v.object({ class: v.string(), desc: v.string() });

/** Longest piece of a bad message that an error quotes. */
const QUOTED = 80;

/** One message from one JSON text. Throws {@link NotQmp} for anything else. */
export function decodeMessage(text: string): QmpMessage {
  const value = parse(text);
  if ("QMP" in value) {
    const { version } = check(greeting, value.QMP, text);
    return { kind: "greeting", version: { ...version.qemu, package: version.package } };
  }
  if ("event" in value) {
    const { event: name, data } = check(event, value, text);
    return { kind: "event", event: { event: name, data } };
  }
  const id = typeof value.id === "number" ? value.id : null;
  if ("error" in value) {
    const { class: errorClass, desc } = check(failure, value.error, text);
    return { kind: "error", id, errorClass, desc };
  }
  if ("return" in value) return { kind: "return", id, value: value.return };
  throw new NotQmp(`neither greeting, event nor answer: ${quote(text)}`);
}

/** The bytes of a command. */
export function encodeCommand(command: string, args: unknown, id: number): Uint8Array {
  const said = args === undefined ? { execute: command, id } : { execute: command, arguments: args, id };
  return new TextEncoder().encode(JSON.stringify(said) + "\r\n");
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    throw new NotQmp(`not JSON: ${quote(text)}`);
  }
  throw new NotQmp(`not an object: ${quote(text)}`);
}

function check<S extends v.GenericSchema>(schema: S, value: unknown, text: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new NotQmp(`${v.getDotPath(result.issues[0]) ?? "message"} is not as it should be: ${quote(text)}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED ? `${text.slice(0, QUOTED)}...` : text);
}
