/**
 * `prmig demo`: the main job on a simulated LUN, told as a story. What is told is checked; a LUN that does not behave as
 * told ends the demo with 1.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { formatKey } from "../../pr/types.ts";
import type { CommandContext } from "../context.ts";
import { handOver } from "./hand_over.ts";
import { type HostName, Stage } from "./stage.ts";

/** The guest's key; its cluster gives every node the same. */
const KEY = 0xc0ffeen;
const TYPE = 5;
/** What the source of the failed move waits for a destination that has died. */
const PATIENCE_MS = 300;

/** Tells the story. Rejects with PrmigError `failed` where it does not come out as told. */
export async function runDemo(_: unknown, context: CommandContext): Promise<void> {
  const { out, json } = context;
  const commands: string[] = [];
  const stage = await Stage.build((line) => commands.push(line));
  const say = (text = ""): void => json ? undefined : out.line(text);
  const shown = async (): Promise<void> => {
    for (const line of commands.splice(0)) say(`    ${line}`);
    say();
    for (const line of await stage.picture()) say(`  ${line}`);
    say();
  };
  try {
    say("A guest runs on berlin. Its disk is a LUN that a cluster shares; so it holds a reservation on it.");
    say(`Its peer is another node of that cluster, and all nodes use one key, ${formatKey(KEY)}.\n`);
    for (const host of ["berlin", "peer"] as const) {
      await stage.does(host, { action: "register", rk: 0n, sark: KEY, aptpl: false });
    }
    await stage.does("berlin", { action: "reserve", rk: KEY, type: TYPE });
    await shown();
    await expect(stage, "berlin", ["berlin", "peer"]);

    say(
      "The guest moves to paris. Without prmig its writes would fail there: the reservation stays with berlin's port.",
    );
    say(
      "prmig send on berlin, prmig recv on paris: berlin marks itself with a one-time key, paris preempts that key.\n",
    );
    const first = await handOver(stage, "berlin", stage.nexus("berlin"), "paris", stage.nexus("paris"), 5000);
    await shown();
    if (first.error) throw first.error;
    await expect(stage, "paris", ["paris", "peer"]);
    say("  paris may write, berlin may not, and the peer never noticed, though it uses the same key.\n");

    say("Now the guest is to move back, but berlin dies in the middle, just after it has registered.\n");
    const second = await handOver(
      stage,
      "paris",
      stage.nexus("paris"),
      "berlin",
      dying(stage.nexus("berlin")),
      PATIENCE_MS,
    );
    await shown();
    if (!(second.error instanceof PrmigError && second.error.kind === "failed")) {
      throw notAsTold("the failed move succeeded");
    }
    await expect(stage, "paris", ["paris", "peer"]);
    say(`  paris says: ${second.error.message}.`);
    say(
      "  It has its key back and holds as before; what berlin left behind is gone. Nobody was unreserved for a moment.\n",
    );

    say("That is prmig. On real LUNs:  prmig send /dev/sdb | ssh paris prmig recv");
    if (json) out.json({ moved: true, rolledBack: true, key: formatKey(KEY), type: TYPE });
  } finally {
    await stage.strike();
  }
}

/** The holder, who is registered, and who can write: all as told, or an error. */
async function expect(stage: Stage, holder: HostName, registered: readonly HostName[]): Promise<void> {
  const { registrations, reservation } = await stage.state();
  const names = registrations.map((r) => r.transportId!.address.split(":").at(-1)!).sort();
  const holding = registrations.filter((r) => r.holder).map((r) => r.transportId!.address.split(":").at(-1)!);
  const keys = registrations.every((r) => r.key === KEY);
  if (reservation?.type !== TYPE || holding.join() !== holder || names.join() !== registered.join() || !keys) {
    throw notAsTold(
      `${holder} should hold, with ${registered.join(" and ")} registered, but it is ${
        (await stage.picture()).join("; ")
      }`,
    );
  }
  for (const host of ["berlin", "paris"] as const) {
    // The first try after losing a registration meets the unit attention that tells of it, which the nexus waits out.
    if (await stage.writes(host) !== (host === holder)) {
      throw notAsTold(`a write from ${host} did not end as it should`);
    }
  }
}

/** A nexus whose host dies after its first PERSISTENT RESERVE OUT: nothing is answered any more. */
function dying(nexus: Nexus): Nexus {
  let dead = false;
  return {
    ...nexus,
    execute: async (cdb, data) => {
      if (dead) return await new Promise(() => undefined);
      dead = cdb[0] === 0x5f;
      return await nexus.execute(cdb, data);
    },
  };
}

function notAsTold(what: string): PrmigError {
  return new PrmigError("failed", {
    message: `The demo did not go as told: ${what}`,
    lun: "a simulated LUN of the demo's own, removed by now",
    remedy: "report this: prmig does not work here",
  });
}
