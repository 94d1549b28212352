import assert from "node:assert/strict";
import { rehearse } from "../../../lib/cli/hand_over/rehearse.ts";

Deno.test("rehearse() ends, leaves nothing open, and can be done again", async () => {
  assert.equal(await rehearse(2), undefined);
  assert.equal(await rehearse(), undefined);
});
