import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { linesOf } from "../../../lib/migrate/lines.ts";
import type { Message } from "../../../lib/migrate/messages.ts";
import type { Offer } from "../../../lib/migrate/offer.ts";
import {
  decodeMessage,
  encodeMessage,
  encodeOfferStream,
  LIMITS,
  OfferReader,
  type OfferStream,
} from "../../../lib/migrate/stream.ts";

const OFFER: Offer = {
  designator: "naa.6001405000000001",
  key: 0x123abcn,
  type: 5,
  generation: 7,
  ptplActive: true,
  commitToken: 0x70726d6700000001n,
  destinationToken: null,
  source: ["sas:600140000000aaaa@1"],
  others: [{ name: "sas:600140000000cccc@3", key: 0xccccn }, { name: null, key: 0n }],
};
const SECOND: Offer = { ...OFFER, designator: "naa.6001405000000002", type: 0, destinationToken: 0x70726d6700000002n };
const STREAM: OfferStream = {
  hello: {
    record: "hello",
    prmig: 1,
    handOver: "2b3c1c2b-0fde-4b07-9d97-67ca978799d7",
    signals: "lun",
    method: "token",
    windowMs: 30_000,
  },
  offers: [OFFER, SECOND],
};

async function lines(): Promise<string[]> {
  return new TextDecoder().decode(await encodeOfferStream(STREAM)).trimEnd().split("\n");
}

async function read(taken: readonly string[]): Promise<OfferStream | undefined> {
  const reader = new OfferReader();
  for (const line of taken) await reader.take(line);
  return reader.whole;
}

/** Refused, or never whole: either way recv touches no LUN. */
async function isRefused(taken: readonly string[]): Promise<boolean> {
  try {
    return await read(taken) === undefined;
  } catch (error) {
    assert(error instanceof PrmigError, String(error));
    assert.equal(error.kind, "refused");
    return true;
  }
}

Deno.test("an offer stream reads back as it was written", async () => {
  assert.deepEqual(await read(await lines()), STREAM);
});

Deno.test("an offer stream is refused when truncated, reordered, repeated or continued", async () => {
  const whole = await lines();
  const [hello, first, second, end] = whole as [string, string, string, string];
  const broken = {
    "without its end": [hello, first, second],
    "without a LUN": [hello, second, end],
    "without its hello": [first, second, end],
    "LUNs swapped": [hello, second, first, end],
    "a LUN twice": [hello, first, first, end],
    "hello twice": [hello, hello, first, second, end],
    "something after its end": [...whole, first],
    "twice in a row": [...whole, ...whole],
    "empty": [],
    "an empty line": [hello, "", first, second, end],
  };
  for (const [what, taken] of Object.entries(broken)) assert(await isRefused(taken), what);
});

Deno.test("an offer stream is refused when any one character is another", async () => {
  const text = (await lines()).join("\n");
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === "7" ? "8" : "7";
    assert(await isRefused((text.slice(0, at) + other + text.slice(at + 1)).split("\n")), `at ${at}: ${text[at]}`);
  }
});

Deno.test("an offer stream is refused when it is cut after any character", async () => {
  const text = (await lines()).join("\n");
  for (let cut = 0; cut < text.length; cut++) assert(await isRefused(text.slice(0, cut).split("\n")), `cut at ${cut}`);
});

for (
  const [what, offer] of Object.entries({
    "key 0": { ...OFFER, key: 0n },
    "type 2": { ...OFFER, type: 2 as 1 },
    "the token for a key": { ...OFFER, key: OFFER.commitToken },
    "no designator": { ...OFFER, designator: "" },
  })
) {
  Deno.test(`an offer with ${what} is refused, however well it is signed`, async () => {
    const bytes = await encodeOfferStream({ ...STREAM, offers: [offer] });
    assert(await isRefused(new TextDecoder().decode(bytes).trimEnd().split("\n")));
  });
}

Deno.test("two offers of one LUN are refused", async () => {
  const bytes = await encodeOfferStream({ ...STREAM, offers: [OFFER, OFFER] });
  assert(await isRefused(new TextDecoder().decode(bytes).trimEnd().split("\n")));
});

const MESSAGES: Message[] = [
  { record: "prepared" },
  { record: "refused", reason: "no such LUN" },
  { record: "update", index: 1, offer: SECOND },
  { record: "followed", index: 1 },
  { record: "committed" },
  { record: "taken" },
  { record: "verified" },
  { record: "settled" },
  { record: "withdraw", reason: "interrupted" },
  { record: "abort", reason: "" },
  { record: "left" },
  { record: "alive", n: 4_294_967_295 },
];

for (const message of MESSAGES) {
  Deno.test(`message ${message.record} reads back as it was written`, () => {
    assert.deepEqual(decodeMessage(new TextDecoder().decode(encodeMessage(message))), message);
  });
}

Deno.test("a message with a field too many, too few or of another kind is refused", () => {
  for (
    const bad of [
      '{"record":"taken","x":1}',
      '{"record":"alive"}',
      '{"record":"alive","n":-1}',
      "[]",
      "null",
      '{"record":"go"}',
    ]
  ) {
    assert.throws(
      () => decodeMessage(bad),
      (error: unknown) => error instanceof PrmigError && error.kind === "refused",
      bad,
    );
  }
});

function streamOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of linesOf(stream)) all.push(line);
  return all;
}

Deno.test("linesOf() joins chunks cut anywhere, in the middle of a character too", async () => {
  const bytes = new TextEncoder().encode("eins\nzwölf\n\ndrei\n");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const [left, right] = [bytes.slice(0, cut), bytes.slice(cut)];
    assert.deepEqual(await collect(streamOf(left, right)), ["eins", "zwölf", "", "drei"]);
  }
});

Deno.test("linesOf() refuses a line that never ends, an unfinished last line, and bytes that are no UTF-8", async () => {
  let made = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1 << 16).fill(0x61 + made++ % 2)),
  });
  await assert.rejects(collect(endless), PrmigError);
  assert(made * (1 << 16) <= LIMITS.lineBytes + (2 << 16), "it read on after the limit");
  const whole = new Uint8Array(LIMITS.lineBytes + 2).fill(0x61);
  whole[whole.length - 1] = 0x0a;
  await assert.rejects(collect(streamOf(whole)), PrmigError);
  await assert.rejects(collect(streamOf(new TextEncoder().encode("a\nb"))), PrmigError);
  await assert.rejects(collect(streamOf(Uint8Array.of(0xff, 0x0a))), PrmigError);
});
