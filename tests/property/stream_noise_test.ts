/**
 * Mutated offer streams into everything recv does before it looks for a LUN: refused, or the very same offer; never
 * another one, never another kind of error, never a hang.
 */
import assert from "node:assert/strict";
import { PrmigError } from "../../lib/errors.ts";
import { linesOf } from "../../lib/migrate/lines.ts";
import type { Offer } from "../../lib/migrate/offer.ts";
import {
  decodeMessage,
  encodeMessage,
  encodeOfferStream,
  OfferReader,
  type OfferStream,
} from "../../lib/migrate/stream.ts";
import { main } from "../../lib/cli/main.ts";
import { createSimLun } from "../../lib/sim/open.ts";
import { CASES, SEED } from "../support/cases.ts";
import { memoryWorld, prmig } from "../support/cli_world.ts";

const OFFER: Offer = {
  designator: "naa.6001405000000001",
  key: 0x123abcn,
  type: 5,
  generation: 7,
  ptplActive: true,
  commitToken: 0x70726d6700000001n,
  destinationToken: null,
  source: ["sas:600140000000aaaa@1"],
  others: [{ name: "sas:600140000000cccc@3", key: 0xccccn }],
};
const STREAM: OfferStream = {
  hello: {
    record: "hello",
    prmig: 1,
    handOver: "2b3c1c2b-0fde-4b07-9d97-67ca978799d7",
    signals: "lun",
    method: "token",
    windowMs: 30_000,
  },
  offers: [OFFER, { ...OFFER, designator: "naa.6001405000000002", type: 0, destinationToken: 0x70726d6700000002n }],
};

type Random = (below: number) => number;

/** Xorshift: the same seed, the same mutations. */
function randomFrom(seed: number): Random {
  let state = (seed >>> 0) || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function mutate(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let out = Array.from(bytes);
  for (let left = 1 + random(3); left > 0; left--) {
    const at = random(out.length + 1);
    const length = 1 + random(40);
    const kind = random(8);
    if (kind === 0) out[Math.min(at, out.length - 1)] = random(256);
    else if (kind === 1) out.splice(at, 0, ...Array.from({ length }, () => random(256)));
    else if (kind === 2) out.splice(at, length);
    else if (kind === 3) out = out.slice(0, at);
    else if (kind === 4) out.splice(at, 0, ...out.slice(random(out.length), random(out.length)));
    else if (kind === 5) out[Math.min(at, out.length - 1)] = 0x30 + random(10);
    else if (kind === 6) out.splice(at, 0, 0x0a);
    else out = [...out, ...out.slice(at)];
    if (out.length === 0) out.push(0x0a);
  }
  return Uint8Array.from(out);
}

/** What recv makes of a stream before it looks for any LUN; null when it refuses. */
async function receive(bytes: Uint8Array): Promise<OfferStream | null> {
  const reader = new OfferReader();
  try {
    for await (const line of linesOf(ReadableStream.from([bytes]))) await reader.take(line);
    return reader.whole ?? null;
  } catch (error) {
    assert(error instanceof PrmigError, `${error}`);
    assert.equal(error.kind, "refused");
    assert(error.message.length < 600, "a peer decides how long an error is");
    return null;
  }
}

Deno.test(`${CASES} mutated offer streams: refused, or the offer itself`, async () => {
  const bytes = await encodeOfferStream(STREAM);
  const random = randomFrom(SEED);
  let same = 0;
  for (let i = 0; i < CASES; i++) {
    const mutated = mutate(bytes, random);
    const received = await receive(mutated);
    if (received === null) continue;
    assert.deepEqual(received, STREAM, `seed ${SEED}, case ${i}`);
    same++;
  }
  assert(same < CASES / 20, `${same} of ${CASES} mutations changed nothing`);
  assert.deepEqual(await receive(bytes), STREAM);
});

/** Of the refused streams one in so many also goes through the whole command: a thousand times the work. */
const ONE_IN = 10;

Deno.test(`${CASES / ONE_IN} mutated streams into the whole of recv: exit 3, and the LUN's file was not even written`, async () => {
  const directory = await Deno.makeTempDir({ prefix: "prmig-test-" });
  try {
    const file = `${directory}/lun`, device = `sim:${file}?nexus=b`;
    await createSimLun(file);
    const { designator } = JSON.parse((await prmig(["dump", "--json", device])).stdout).lun;
    const bytes = await encodeOfferStream({ ...STREAM, offers: [{ ...OFFER, designator }] });
    const before = [await Deno.readTextFile(file), (await Deno.stat(file)).ino];
    const random = randomFrom(SEED + 2);
    for (let i = 0; i < CASES / ONE_IN; i++) {
      const mutated = mutate(bytes, random);
      if (await receive(mutated) !== null) continue;
      const world = memoryWorld();
      const stdin = { isTerminal: false, stream: () => ReadableStream.from([mutated]) };
      const code = await main(["recv", device], { ...world, stdin });
      assert.equal(code, 3, `seed ${SEED}, case ${i}: ${world.stderr()}`);
      assert(world.stderr().length < 2000, "a peer decides how long an error is");
    }
    assert.deepEqual([await Deno.readTextFile(file), (await Deno.stat(file)).ino], before);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test(`${CASES} mutated messages: refused, or a message that reads back`, () => {
  const messages = [
    encodeMessage({ record: "update", index: 1, offer: OFFER }),
    encodeMessage({ record: "alive", n: 4711 }),
    encodeMessage({ record: "abort", reason: "interrupted" }),
  ];
  const random = randomFrom(SEED + 1);
  const text = new TextDecoder();
  for (let i = 0; i < CASES; i++) {
    const line = text.decode(mutate(messages[i % messages.length]!, random));
    try {
      const message = decodeMessage(line);
      assert.deepEqual(decodeMessage(text.decode(encodeMessage(message))), message);
    } catch (error) {
      assert(error instanceof PrmigError && error.kind === "refused", `seed ${SEED}, case ${i}: ${error}`);
    }
  }
});
