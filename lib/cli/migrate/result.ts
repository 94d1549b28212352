/**
 * A migration's plan and its success, for people and for programs.
 *
 * @module
 */
import type { GuestDisk } from "../../migrate/vm/disks.ts";
import type { Migrated, MigrationPlan } from "../../migrate/vm/migrate_guest.ts";
import { resultJson, resultText } from "../hand_over/result.ts";

/** For programs. */
export function planJson({ gate, why, mover, uri, moved, skipped }: MigrationPlan): unknown {
  return { phase: "plan", gate, why, mover, uri, moved: moved.map(diskJson), skipped: skipped.map(diskJson) };
}

/** For people. */
export function planText({ gate, why, mover, moved, skipped }: MigrationPlan): string[] {
  const by = mover === "qemu" ? " (moved by QEMU)" : "";
  return [
    `gate: ${gate}: ${why}`,
    ...moved.map((disk) => `disk: ${nameOf(disk)}${by}`),
    ...skipped.map((disk) => `disk: ${nameOf(disk)}: nothing of this host is registered with it; left out`),
    ...moved.length + skipped.length === 0 ? ["disk: none is passed through (scsi-block, scsi-generic)"] : [],
  ];
}

/** For programs: the one object on stdout. */
export function migratedJson(handOver: string, migrated: Migrated): unknown {
  const { plan, gate, handedOver, heldMs, downtimeMs, guest, verified } = migrated;
  const luns = handedOver && resultJson(handOver, "source", handedOver.legs, handedOver.ending);
  return {
    outcome: "moved",
    gate,
    mover: plan.mover,
    guest,
    heldMs: round(heldMs),
    downtimeMs,
    handOver: luns,
    verified,
    skipped: plan.skipped.map(diskJson),
  };
}

/** For people. */
export function migratedText({ gate, handedOver, heldMs, downtimeMs, guest, verified }: Migrated): string[] {
  const downtime = downtimeMs === null ? "" : `; downtime by QEMU's count ${Math.round(downtimeMs)} ms`;
  return [
    ...handedOver ? resultText(handedOver.legs, handedOver.ending) : [],
    ...verified.map((line) => `moved by QEMU: ${line}`),
    `the guest ${guest} (gate ${gate}, held for ${round(heldMs)} ms${downtime})`,
    "the source QEMU stands still and is not needed any more: quit it",
  ];
}

function diskJson({ qdev, driver, device }: GuestDisk): unknown {
  return { qdev, driver, device };
}

function nameOf({ qdev, device }: GuestDisk): string {
  return `${qdev} (${device ?? "a device QEMU does not name"})`;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
