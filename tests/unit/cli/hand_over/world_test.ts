import assert from "node:assert/strict";
import { unlessSaid } from "../../../../lib/cli/hand_over/world.ts";
import type { Progress } from "../../../../lib/migrate/ports.ts";

Deno.test("progress that repeats itself is said once, for each device", () => {
  const said: Progress[] = [];
  const report = unlessSaid((progress) => said.push(progress));
  const gone = (device: string): Progress => ({ phase: "leave", text: "trying again: gone", device });
  const left: Progress = { phase: "leave", text: "left", device: "a" };
  for (let i = 0; i < 100; i++) {
    report(gone("a"));
    report(gone("b"));
  }
  report(left);
  report(gone("a"));
  assert.deepEqual(said, [gone("a"), gone("b"), left, gone("a")]);
});
