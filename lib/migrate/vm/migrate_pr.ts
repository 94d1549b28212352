/**
 * QEMU 11's own way of moving a reservation, `migrate-pr`: whether it is on, and that the two never do it both. Pure.
 *
 * A source with it on sends key and type in the stream, and the destination then registers and preempts by itself while
 * it loads, whatever its own property says. A destination that prmig has registered before would make that fail.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { GuestDisk } from "./disks.ts";

/** Who moves the reservation. */
export type Mover = "prmig" | "qemu";

/**
 * Decides by the disks of both sides; `destination` is `null` where its QMP is not reachable. Throws PrmigError `refused`
 * when the sides, or the disks of one side, do not agree.
 */
export function whoMoves(source: readonly GuestDisk[], destination: readonly GuestDisk[] | null): Mover {
  const sides = [["source", source], ...destination === null ? [] : [["destination", destination] as const]] as const;
  const settings = sides.flatMap(([side, disks]) =>
    disks.map(({ qdev, migratePr }) => ({ side, qdev, on: migratePr === true }))
  );
  const on = settings.filter((setting) => setting.on);
  if (on.length === 0) return "prmig";
  const off = settings.find((setting) => !setting.on);
  if (off === undefined) return "qemu";
  const [first] = on as [typeof settings[number]];
  throw new PrmigError("refused", {
    message: `migrate-pr is on for ${first.qdev} on the ${first.side} and off for ${off.qdev} on the ${off.side}: ` +
      "QEMU and prmig would both move the reservation, or neither",
    lun: "not touched",
    remedy:
      "start both QEMUs with migrate-pr=off on every scsi-block (then prmig moves), or with migrate-pr=on (then QEMU does)",
  });
}
