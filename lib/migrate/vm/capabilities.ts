/**
 * Migration capabilities on loan: set for one migration, and given back as they were.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { Qemu } from "../../qmp/qemu.ts";
import type { VmGate } from "./gates.ts";

/** Capabilities under which a migration does not have one moment at which the guest changes sides. */
const UNFIT: readonly string[] = ["postcopy-ram", "x-colo", "background-snapshot"];

/** What this migration needs of a source. Throws PrmigError `refused` for what it cannot be done under. */
export function neededOnSource(known: ReadonlyMap<string, boolean>, gate: VmGate): Map<string, boolean> {
  const unfit = UNFIT.find((name) => known.get(name));
  if (unfit !== undefined) {
    throw refused(
      `the source has the capability ${unfit} on, and then there is no one moment of the switch`,
      `turn it off (migrate-set-capabilities ${unfit}=false), then migrate again`,
    );
  }
  if (gate === "switchover" && !known.has("pause-before-switchover")) {
    throw refused("this QEMU cannot pause before the switch (QEMU 2.11 and later can)", "add --dst-qmp SOCK");
  }
  // At the `completed` gate the pause is a last look before the point of no return; QEMUs without it do without.
  const wanted: [string, boolean][] = [
    ["events", true],
    ["return-path", true],
    ["pause-before-switchover", gate !== "paused"],
  ];
  return changes(known, wanted);
}

/** What it needs of a destination. */
export function neededOnDestination(known: ReadonlyMap<string, boolean>): Map<string, boolean> {
  return changes(known, [["events", true], ["return-path", true], ["late-block-activate", true]]);
}

function changes(known: ReadonlyMap<string, boolean>, wanted: readonly [string, boolean][]): Map<string, boolean> {
  return new Map(wanted.filter(([name, state]) => known.has(name) && known.get(name) !== state));
}

/** How the changed ones were before. */
export function formerly(
  known: ReadonlyMap<string, boolean>,
  changed: ReadonlyMap<string, boolean>,
): Map<string, boolean> {
  return new Map([...changed.keys()].map((name) => [name, known.get(name)!]));
}

/** Sets what is needed and gives what to set afterwards. */
export async function borrowCapabilities(
  qemu: Qemu,
  needed: (known: ReadonlyMap<string, boolean>) => Map<string, boolean>,
): Promise<Map<string, boolean>> {
  const known = await qemu.capabilities();
  const wanted = needed(known);
  await qemu.setCapabilities(wanted);
  return formerly(known, wanted);
}

function refused(why: string, remedy: string): PrmigError {
  return new PrmigError("refused", { message: `Cannot migrate the guest: ${why}`, lun: "not touched", remedy });
}
