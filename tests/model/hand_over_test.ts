/**
 * The hand-over, driven through its courses of events: both sides' real code on the simulated LUN, with a crash of either
 * side at every step, commands that arrive late, links that break, deadlines that pass, a third party that fences the
 * guest, and `recover` on whoever is left. I1 to I4 and the end are judged in every world (invariants.ts).
 *
 * Every scene is explored to its end: no limit, no sampling.
 */
import assert from "node:assert/strict";
import { explore } from "./explore.ts";
import { CRASH, FAULT, ONE_LUN, TWO_LUNS, variant } from "./variants.ts";

const VARIANTS = [...ONE_LUN, ...TWO_LUNS];

Deno.test("the hand-over holds its invariants in every world there is", async (t) => {
  let worlds = 0;
  let residual = 0;
  for (const each of VARIANTS) {
    const seen = await explore(each);
    // The count is part of the name, since a quiet run shows nothing else.
    await t.step(`${seen.worlds} worlds, ${seen.ends} ends: ${each.name}`, () => {
      assert.equal(seen.violation, null, seen.violation?.trace);
      assert(seen.ends > 10, "a scene that hardly ever ends");
    });
    worlds += seen.worlds;
    residual += seen.residual;
  }
  console.log(
    `${worlds} worlds explored, all ${VARIANTS.length} scenes to their end; ${residual} ends in the documented residual`,
  );
  assert(worlds > 100_000, `only ${worlds} worlds`);
});

/** What the check promises to let happen, and how a trace names it. */
const TROUBLE: Record<string, RegExp> = {
  "killed before its command, or after it and before the answer": /^KILLED with REGISTER, .* on its way$/,
  "the command of a dead process is carried out": /^REGISTER, .* arrives late -> GOOD$/,
  "killed before its journal was written": /^KILLED before the journal was written$/,
  "killed after its journal was written": /^KILLED after journal: committing/,
  "killed while it waits": /^KILLED while waiting$/,
  "killed before its message left": /^KILLED before it could say more$/,
  "killed after its message left": /^KILLED having said committed$/,
  "recovered": /^prmig recover$/,
  "a command without an answer": /^PREEMPT, .* -> timed out, on its way$/,
  "a command without an answer is carried out later": /^PREEMPT, .* arrives late -> GOOD$/,
  "a message is lost, and nobody told": /^breaks, nobody is told$/,
  "a link breaks": /^breaks, both sides are told$/,
  "a full disk": /^journal: disk full$/,
  "a LUN that cannot be read": /^reads the LUN -> path gone$/,
};

Deno.test("every kind of trouble happens", async (t) => {
  const happened = new Set<string>();
  for (const budget of [CRASH, FAULT]) {
    await explore(variant(5, budget, { duplex: true }), { onMove: (move) => happened.add(move.what()) });
  }
  for (const [what, words] of Object.entries(TROUBLE)) {
    await t.step(what, () => assert([...happened].some((each) => words.test(each)), `nothing like ${words}`));
  }
});
