/**
 * A whole migration in which a QEMU says what is malformed or out of order, by itself or in place of an answer: prmig ends
 * with words and with the guest on the one side that holds, or goes on over a new connection.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { GATES, type VmGate } from "../../lib/migrate/vm/gates.ts";
import { nearly } from "../support/qmp_noise.ts";
import { attempt, look, type VmScene, vmScene } from "../support/vm_scene.ts";

/** From before the first command to after the switch, which is at 400. */
const LAST_MS = 520;
/** More than a migration needs. */
const COMMANDS = 30;
const RUNS = 80;

const text = fc.oneof(
  { weight: 4, arbitrary: nearly.map((message) => JSON.stringify(message)) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'{}[]"\\:,0 nulltrue'), maxLength: 32 }) },
);
const noise = fc.array(text, { minLength: 1, maxLength: 3 }).map((texts) => texts.map((one) => `${one}\r\n`).join(""));
const victim = fc.constantFrom<"src" | "dst">("src", "dst");

async function judge(s: VmScene): Promise<void> {
  const { kind, message, remedy } = await attempt(s);
  await Promise.race([s.recv, s.clock.sleep(60_000)]);
  const seen = await look(s);
  const story = `${kind} ${message} ${JSON.stringify(seen)}`;
  if (kind !== "ok") assert(message.length > 10, story);
  if (kind === "unsure") assert(remedy.length > 10, story);
  assert(seen.counts !== "both", story);
  if (seen.counts === "src") assert.match(seen.lun, /A=K\*/, story);
  if (seen.counts === "dst") assert.match(seen.lun, /B=K\*/, story);
  if (kind === "ok") assert.equal(seen.counts, "dst", story);
  if (kind !== "ok" && kind !== "unsure") assert.equal(seen.counts, "src", story);
  assert.equal(seen.failedWrites, 0, story);
}

const sceneAt = (gate: VmGate): Promise<VmScene> => vmScene({ gate, monitored: gate !== "completed", commandMs: 1 });

for (const gate of GATES) {
  Deno.test(`gate ${gate}: a QEMU says at any moment what is malformed or out of order`, async () => {
    await fc.assert(
      fc.asyncProperty(victim, fc.nat(LAST_MS), noise, async (who, ms, words) => {
        using s = await sceneAt(gate);
        s.clock.sleep(ms).then(() => s[who].babble(words));
        await judge(s);
      }),
      { numRuns: RUNS },
    );
  });

  Deno.test(`gate ${gate}: a QEMU says it in place of any one answer`, async () => {
    await fc.assert(
      fc.asyncProperty(victim, fc.nat(COMMANDS), noise, async (who, at, words) => {
        using s = await sceneAt(gate);
        let count = 0;
        s[who].fault = () => count++ === at ? { says: words } : null;
        await judge(s);
      }),
      { numRuns: RUNS },
    );
  });
}
