/**
 * The LUNs of a journal, opened again: by the address it names, as long as that still is the same LUN.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { JournalEntry } from "../../migrate/journal_entry.ts";
import type { CommandContext } from "../context.ts";
import { OpenLuns } from "../hand_over/luns.ts";

/** Opens every LUN of an entry, in its order. Device names may have changed since: the designator decides. */
export async function openJournalLuns(entry: JournalEntry, context: CommandContext): Promise<OpenLuns> {
  const open = new OpenLuns(context);
  try {
    for (const { device, offer } of entry.luns) {
      const lun = await open.open(device);
      if (lun.designator !== offer.designator) throw renamed(device, lun.designator, offer.designator);
    }
    return open;
  } catch (error) {
    open.close();
    throw error;
  }
}

function renamed(device: string, found: string, wanted: string): PrmigError {
  return new PrmigError("device", {
    message: `Cannot recover ${device}: it is ${found} now, and the hand-over was of ${wanted}`,
    device,
    lun: "unchanged by this",
    remedy: `find the LUN's device (ls -l /dev/disk/by-id | grep ${
      wanted.slice(4, 20)
    }), and give it its old name for the recovery`,
  });
}
