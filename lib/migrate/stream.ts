/**
 * The stream as bytes: one JSON object a line, keys as in JSON everywhere in prmig. Specified in docs/stream-format.md.
 *
 *   hello | lun ... | end (count, SHA-256 over every byte before it) | then messages, on a two-way stream only
 *
 * Pure but for the digest. Nothing that does not match its schema to the letter gets past the decoder.
 *
 * @module
 */
import * as v from "valibot";
import { toHex } from "../bytes.ts";
import { PrmigError } from "../errors.ts";
import { formatKey, isPrType, parseKey, type PrType } from "../pr/types.ts";
import type { Hello, Message } from "./messages.ts";
import type { Offer } from "./offer.ts";

/** Bounds on what a peer may make us keep. */
export const LIMITS = { lineBytes: 1 << 20, luns: 4096, names: 4096, text: 1024 } as const;

const text = v.pipe(v.string(), v.maxLength(LIMITS.text));
const u32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));
const key = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-f]{16}$/, "a key is 0x and 16 lower-case hex digits"),
  v.transform((digits) => parseKey(digits)!),
);
/** A key as JSON carries it, but for 0. */
export const someKey = v.pipe(key, v.check((k) => k !== 0n, "key 0 is never registered"));
const type = v.pipe(
  u32,
  v.check((code) => code === 0 || isPrType(code), "not a reservation type"),
  v.transform((code) => code as PrType | 0),
);

const offer = v.strictObject({
  designator: v.pipe(text, v.minLength(1)),
  key: someKey,
  type,
  generation: u32,
  ptplActive: v.boolean(),
  commitToken: someKey,
  destinationToken: v.nullable(someKey),
  source: v.pipe(v.array(text), v.maxLength(LIMITS.names)),
  others: v.pipe(v.array(v.strictObject({ name: v.nullable(text), key })), v.maxLength(LIMITS.names)),
});

const ms = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(24 * 3600 * 1000));
const hello = v.strictObject({
  record: v.literal("hello"),
  prmig: v.literal(1, "not a version of the format this prmig knows"),
  handOver: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "not the name of a hand-over")),
  signals: v.picklist(["lun", "stream"]),
  method: v.picklist(["token", "plain"]),
  windowMs: ms,
});
const lun = v.strictObject({ record: v.literal("lun"), index: u32, offer });
const end = v.strictObject({
  record: v.literal("end"),
  luns: u32,
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});
const reason = text;
const message = v.variant("record", [
  v.strictObject({ record: v.literal("prepared") }),
  v.strictObject({ record: v.literal("refused"), reason }),
  v.strictObject({ record: v.literal("update"), index: u32, offer }),
  v.strictObject({ record: v.literal("followed"), index: u32 }),
  v.strictObject({ record: v.literal("committed") }),
  v.strictObject({ record: v.literal("taken") }),
  v.strictObject({ record: v.literal("verified") }),
  v.strictObject({ record: v.literal("settled") }),
  v.strictObject({ record: v.literal("withdraw"), reason }),
  v.strictObject({ record: v.literal("abort"), reason }),
  v.strictObject({ record: v.literal("left") }),
  v.strictObject({ record: v.literal("alive"), n: u32 }),
]);

/** A validated offer stream. */
export interface OfferStream {
  readonly hello: Hello;
  readonly offers: readonly Offer[];
}

/** The bytes of a whole offer, `end` included. */
export async function encodeOfferStream({ hello, offers }: OfferStream): Promise<Uint8Array> {
  const lines = [hello, ...offers.map((offer, index) => ({ record: "lun", index, offer }))].map(toLine).join("");
  const sha256 = await digest(lines);
  return new TextEncoder().encode(lines + toLine({ record: "end", luns: offers.length, sha256 }));
}

/** The bytes of one message. */
export function encodeMessage(said: Message): Uint8Array {
  const cut = "reason" in said ? { ...said, reason: said.reason.slice(0, LIMITS.text) } : said;
  return new TextEncoder().encode(toLine(cut));
}

/** Takes an offer stream line by line, keeping no more than the bounds allow. */
export class OfferReader {
  #hello: Hello | undefined;
  #offers: Offer[] = [];
  #seen = "";
  #whole: OfferStream | undefined;

  /** The validated stream once `end` has been taken, else undefined. */
  get whole(): OfferStream | undefined {
    return this.#whole;
  }

  /** Takes the next line, without its newline. Throws PrmigError `refused` for anything but the next valid record. */
  async take(line: string): Promise<void> {
    if (this.#whole) throw badStream("there is something after the end record");
    const value = parseJson(line);
    if (!this.#hello) this.#hello = check(hello, value, "hello");
    else if (isRecord(value, "end")) return await this.#end(check(end, value, "end"));
    else this.#lun(check(lun, value, "lun"));
    this.#seen += line + "\n";
  }

  #lun({ index, offer }: v.InferOutput<typeof lun>): void {
    if (index !== this.#offers.length) throw badStream(`LUN ${index} came where LUN ${this.#offers.length} belongs`);
    if (index >= LIMITS.luns) throw badStream(`more than ${LIMITS.luns} LUNs`);
    const keys = [offer.key, offer.commitToken, ...offer.destinationToken === null ? [] : [offer.destinationToken]];
    if (new Set(keys).size !== keys.length) throw badStream(`LUN ${index} uses one key for two things`);
    if (this.#offers.some((other) => other.designator === offer.designator)) {
      throw badStream(`LUN ${offer.designator} is offered twice`);
    }
    this.#offers.push(offer);
  }

  async #end({ luns, sha256 }: v.InferOutput<typeof end>): Promise<void> {
    if (luns !== this.#offers.length || luns === 0) {
      throw badStream(`${this.#offers.length} LUNs came, ${luns} were sent`);
    }
    if (sha256 !== await digest(this.#seen)) throw badStream("the digest does not match what came before it");
    this.#whole = { hello: this.#hello!, offers: this.#offers };
  }
}

/** One message from a line. Throws PrmigError `refused` for anything else. */
export function decodeMessage(line: string): Message {
  return check(message, parseJson(line), "message");
}

/** Offer as it stands in journals and streams, back from JSON. Throws PrmigError `refused`. */
export function decodeOffer(value: unknown): Offer {
  return check(offer, value, "offer");
}

/** One JSON line; keys become `0x` and 16 hex digits. */
export function toLine(value: unknown): string {
  return JSON.stringify(value, (_, item) => typeof item === "bigint" ? formatKey(item) : item) + "\n";
}

/** A refusal of the stream itself, before anything was sent to a LUN. */
export function badStream(what: string): PrmigError {
  return new PrmigError("refused", {
    message: `Cannot accept the stream: ${what}`,
    lun: "unchanged: nothing was sent to any LUN",
    remedy: "run prmig send and prmig recv of the same version, with nothing else writing to the pipe",
  });
}

function check<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw badStream(`not a ${what} record: ${v.getDotPath(issue) ?? "record"}: ${issue.message.slice(0, 200)}`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw badStream("a line is not JSON");
  }
}

function isRecord(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && "record" in value && value.record === name;
}

async function digest(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}
