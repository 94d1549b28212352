import assert from "node:assert/strict";
import fc from "fast-check";
import { QmpError } from "../../lib/qmp/error.ts";
import { decodeMessage, NotQmp } from "../../lib/qmp/message.ts";
import { JsonSplitter, NotJson } from "../../lib/qmp/split.ts";
import { nearly } from "../support/qmp_noise.ts";
import { connected } from "../support/qmp_script.ts";

const utf8 = new TextEncoder();

/** Bytes cut at arbitrary places. */
function cutUp(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

Deno.test("JsonSplitter finds exactly the objects that were sent, wherever the stream is cut", () => {
  const object = fc.object({ maxDepth: 3 }).map((value) => JSON.stringify({ value }, null, 1));
  fc.assert(fc.property(fc.array(object, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 9 }), (texts, cuts) => {
    const splitter = new JsonSplitter(1 << 20);
    const found = cutUp(utf8.encode(texts.join("\r\n")), cuts).flatMap((part) => splitter.take(part));
    assert.deepEqual(found, texts);
    assert.equal(splitter.between, true);
  }));
});

Deno.test("JsonSplitter and decodeMessage() answer noise with values or their own errors", () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.string({ unit: fc.constantFrom(...'{}[]"\\:,0 nulltrue'), maxLength: 64 }).map((s) => utf8.encode(s)),
  );
  fc.assert(
    fc.property(noise, (bytes) => {
      try {
        for (const text of new JsonSplitter(48).take(bytes)) decodeMessage(text);
      } catch (error) {
        assert(error instanceof NotJson || error instanceof NotQmp, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a client that meets malformed and out-of-order messages ends every command, with an answer or a QmpError", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(nearly, { minLength: 1, maxLength: 4 }), async (messages) => {
      const { client } = await connected(() => messages.map((m) => JSON.stringify(m) ?? "null"));
      const ends = await Promise.allSettled([1, 2, 3].map(() => client.execute("query-status", undefined, 1000)));
      for (const end of ends) {
        if (end.status === "rejected") assert(end.reason instanceof QmpError, String(end.reason));
      }
      await client.close();
    }),
    { numRuns: 300 },
  );
});
