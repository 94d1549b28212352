/**
 * What the two ends of `ssh:HOST:DEV` say to each other: one JSON object a line. Pure.
 *
 *     <- {"prmigQualify":1,"device":"/dev/sdb","initiator":null,"use":{...}}
 *     -> {"id":1,"cdb":"5e00...","room":8192,"timeoutMs":30000}       or "dataOut":"..." instead of "room"
 *     <- {"id":1,"status":0,"sense":"","dataIn":"0000...","hostStatus":0,"driverStatus":0}
 *     <- {"id":1,"failure":{"kind":"device","message":"...","lun":"...","remedy":"..."}}
 *     <- {"failure":{...}}                                             instead of the greeting
 *
 * @module
 */
import * as v from "valibot";
import { fromHex, toHex } from "../../bytes.ts";
import { EXIT, type FailureKind, PrmigError } from "../../errors.ts";
import type { InitiatorHint, Reply } from "../../pr/nexus.ts";
import type { Use } from "./use.ts";

/** Version of what is said. */
export const VERSION = 1;

/** What the far end says first. */
export interface Greeting {
  readonly initiator: InitiatorHint | null;
  /** What that host does with the LUN. */
  readonly use: Use;
}

/** A command for the far end. */
export interface Ask {
  readonly id: number;
  readonly cdb: Uint8Array;
  /** Data-out, or room for data-in. */
  readonly data: Uint8Array | number;
  readonly timeoutMs: number;
}

/** What came of it. */
export type Answer = { readonly id: number; readonly reply: Reply } | {
  readonly id: number | null;
  readonly failure: PrmigError;
};

/** A line that is none of these. */
export class NotOurs extends Error {
  override readonly name = "NotOurs";
}

const MOST_DATA = 256 * 1024;
const text = v.pipe(v.string(), v.maxLength(4096));
const texts = v.pipe(v.array(text), v.maxLength(256));
const hex = (most: number) =>
  v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2})*$/), v.maxLength(2 * most), v.transform(fromHex));
const byte = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xff));
const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most));
const id = v.pipe(v.number(), v.integer(), v.minValue(1));

const kinds = Object.keys(EXIT).filter((kind): kind is FailureKind => kind !== "ok");
const failure = v.strictObject({ kind: v.picklist(kinds), message: text, lun: text, remedy: text });
const initiator = v.strictObject({
  transportId: v.looseObject({ protocol: text, address: text }),
  match: v.picklist(["exact", "prefix"]),
});
const greeting = v.strictObject({
  prmigQualify: v.literal(VERSION),
  device: text,
  initiator: v.nullable(initiator),
  use: v.strictObject({ users: texts, partitions: texts, driver: v.nullable(text) }),
});
const ask = v.strictObject({
  id,
  cdb: v.pipe(hex(16), v.check((bytes) => bytes.length >= 6)),
  dataOut: v.optional(hex(MOST_DATA)),
  room: v.optional(count(MOST_DATA)),
  timeoutMs: v.pipe(count(600_000), v.minValue(1)),
});
const answer = v.union([
  v.strictObject({
    id,
    status: byte,
    sense: hex(255),
    dataIn: hex(MOST_DATA),
    hostStatus: count(0xffff),
    driverStatus: count(0xffff),
  }),
  v.strictObject({ id: v.optional(id), failure }),
]);

/** The first line of the far end. */
export function encodeGreeting(device: string, { initiator, use }: Greeting): string {
  return line({ prmigQualify: VERSION, device, initiator, use });
}

/** A command as a line. */
export function encodeAsk({ id, cdb, data, timeoutMs }: Ask): string {
  const way = typeof data === "number" ? { room: data } : { dataOut: toHex(data) };
  return line({ id, cdb: toHex(cdb), ...way, timeoutMs });
}

/** What came of it, as a line. */
export function encodeAnswer(answered: Answer): string {
  if ("failure" in answered) {
    const { kind, facts: { message, lun, remedy } } = answered.failure;
    return line({ ...answered.id === null ? {} : { id: answered.id }, failure: { kind, message, lun, remedy } });
  }
  const { id, reply: { status, sense, dataIn, hostStatus = 0, driverStatus = 0 } } = answered;
  return line({ id, status, sense: toHex(sense), dataIn: toHex(dataIn), hostStatus, driverStatus });
}

/** The far end's first line; its failure is thrown as the PrmigError it is. Throws {@link NotOurs}. */
export function decodeGreeting(text: string): Greeting {
  const value = parse(text);
  const failed = v.safeParse(v.strictObject({ failure }), value);
  if (failed.success) throw failureOf(failed.output.failure);
  const { initiator, use } = checked(greeting, value);
  // A hint is only ever compared with TransportIDs and shown; its address is what matters.
  return { initiator: initiator as InitiatorHint | null, use };
}

/** A command. Throws {@link NotOurs}. */
export function decodeAsk(text: string): Ask {
  const { id, cdb, dataOut, room, timeoutMs } = checked(ask, parse(text));
  if ((dataOut === undefined) === (room === undefined)) throw new NotOurs("either dataOut or room");
  return { id, cdb, data: dataOut ?? room ?? 0, timeoutMs };
}

/** An answer. Throws {@link NotOurs}. */
export function decodeAnswer(text: string): Answer {
  const said = checked(answer, parse(text));
  if ("failure" in said) return { id: said.id ?? null, failure: failureOf(said.failure) };
  const { id, ...reply } = said;
  return { id, reply };
}

function failureOf({ kind, ...facts }: v.InferOutput<typeof failure>): PrmigError {
  return new PrmigError(kind, facts);
}

function line(value: unknown): string {
  return JSON.stringify(value) + "\n";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new NotOurs("no JSON");
  }
}

function checked<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const { success, output, issues } = v.safeParse(schema, value);
  if (success) return output;
  throw new NotOurs(`${v.getDotPath(issues[0]) ?? "line"}: ${issues[0].message}`);
}
