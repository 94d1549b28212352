import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../lib/bytes.ts";
import { explainItem, Unclear } from "../../lib/cli/explain/explain.ts";
import { explanationText } from "../../lib/cli/explain/explanation.ts";
import { KINDS } from "../../lib/cli/explain/kinds.ts";
import { itemsOf } from "../../lib/cli/explain/words.ts";
import { colours } from "../../lib/cli/colour.ts";

/** Explains everything in a text and renders it; Unclear and RangeError are the only errors allowed. */
function explainAll(text: string, as: typeof KINDS[number] | null): void {
  try {
    for (const item of itemsOf(text)) {
      const said = explainItem(item, as);
      if (said === null) continue;
      assert.doesNotMatch(explanationText(said, colours(false), 80), /[^\n\P{Cc}]/u, "no control characters");
      JSON.stringify(said.facts);
    }
  } catch (error) {
    if (!(error instanceof Unclear || error instanceof RangeError)) throw error;
  }
}

Deno.test("explain never breaks on bytes, whatever they are said to be", () => {
  const starts = fc.constantFrom([], [0x5f, 0x00], [0x5e, 0x03], [0x70, 0x00], [0x72], [0x45, 0x00], [0x06, 0, 0, 0]);
  const bytes = fc.tuple(starts, fc.uint8Array({ maxLength: 96 })).map(([head, tail]) =>
    Uint8Array.of(...head, ...tail)
  );
  fc.assert(
    fc.property(bytes, fc.constantFrom(null, ...KINDS), (bytes, as) => explainAll(toHex(bytes), as)),
    { numRuns: 600 },
  );
});

Deno.test("explain never breaks on text", () => {
  const pieces = fc.constantFrom(
    ..."CDB: |5f 01 05 00 00 00 00 00 18 00|raw=(|Sense Key : |Unit Attention|[current]|Add. Sense: |hostbyte=|0x|DID_OK"
      .split("|"),
    ..."sd 0:0:1:0: |[sda]|reservation conflict|sg-1 [000] 1.000001: |scsi_dispatch_cmd_done: |\n|00000000: |rk=0x1 |06/2a/05"
      .split("|"),
  );
  const text = fc.array(fc.oneof(pieces, fc.string({ unit: "binary", maxLength: 8 })), { maxLength: 12 });
  fc.assert(fc.property(text, (parts) => explainAll(parts.join(""), null)), { numRuns: 800 });
});
