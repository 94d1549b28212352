/**
 * What `prmig snoop` has written down and told, for the lab's tests of it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { eventFromJson, type PrEvent } from "../../lib/snoop/event.ts";
import { lunFile, readLun, type SnoopedNexus } from "../../lib/snoop/state.ts";
import { eventually, type ServingHelper } from "./helpers.ts";

/** What the state file says of a nexus of the LUN. */
export function stateOf(designator: string, hctl: string): SnoopedNexus | undefined {
  return readLun(lunFile("/run/prmig", designator))?.nexuses.find(({ nexusId }) => nexusId === hctl);
}

/** Key and type of it. */
export function told(state: SnoopedNexus | undefined): [bigint | null, number | null] | null {
  return state ? [state.key, state.type] : null;
}

/** Waits until the state file says so: it is written behind the reply. */
export async function tracked(
  key: bigint,
  type: number,
  { designator, hctl }: { designator: string; hctl: string },
): Promise<void> {
  try {
    await eventually("", () => {
      const state = stateOf(designator, hctl);
      return state?.key === key && state.type === type && state.open === null;
    });
  } catch {
    assert.deepEqual(stateOf(designator, hctl), { key, type, open: null });
  }
}

/** What a helper that was started with --json has told so far. */
export function events(helper: ServingHelper): PrEvent[] {
  return helper.process.printed().stdout.split("\n").flatMap((line) => eventFromJson(line) ?? []);
}
