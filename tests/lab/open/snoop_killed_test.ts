/**
 * Open: passed once and failed once on a busy machine; the event it looks for is now waited for.
 */
import assert from "node:assert/strict";
import { eventFromJson, type PrEvent } from "../../../lib/snoop/event.ts";
import { lunFile, readLun, type SnoopedNexus } from "../../../lib/snoop/state.ts";
import { eventually, NodeClient, type ServingHelper, startSnoop } from "../helpers.ts";
import { labTest, lun } from "../support.ts";

const K = 0x123abcn;
const REGISTER = 0, RESERVE = 1;

function stateOf(designator: string, hctl: string): SnoopedNexus | undefined {
  return readLun(lunFile("/run/prmig", designator))?.nexuses.find(({ nexusId }) => nexusId === hctl);
}

/** Waits until the state file says so: it is written behind the reply. */
async function tracked(
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

function events(helper: ServingHelper): PrEvent[] {
  return helper.process.printed().stdout.split("\n").flatMap((line) => eventFromJson(line) ?? []);
}

labTest("SIGKILL between REGISTER and RESERVE: the next helper remembers, asks the LUN, and goes on", async () => {
  const { designator, nexuses: { A } } = lun();
  const where = { designator, hctl: A.hctl };
  const first = await startSnoop();
  {
    using guest = await NodeClient.open(first.socket, A.sd);
    await guest.prOut(REGISTER, 0n, K);
    await eventually("the file", () => stateOf(designator, A.hctl)?.key === K);
    await first.kill();
  }
  const second = await startSnoop({ socket: first.socket, args: ["--json"] }); // over the dead socket's file
  try {
    using guest = await NodeClient.open(second.socket, A.sd);
    assert.equal((await guest.prOut(RESERVE, K, 0n, 3)).status, 0);
    await tracked(K, 3, where);
    await eventually("the event", () => events(second).length > 0);
    assert.deepEqual(events(second).map(({ event }) => event), ["prOut"]);
  } finally {
    await second.stop();
  }
});
