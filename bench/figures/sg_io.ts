/**
 * One SCSI command there and back, one at a time: the way prmig sends them, against the same ioctl in a C loop.
 *
 * @module
 */
import { prIn } from "../../lib/pr/commands.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";
import { openSgDevice } from "../../lib/sg/mod.ts";
import { lun } from "../../tests/lab/support.ts";
import type { Figure, Row, Scale } from "../figure.ts";
import { compiled, inTurn, ran, rounds, timed, withDirectory } from "../measure.ts";

const COMMANDS = { full: 2000, small: 20 };
const LIMIT = "C loop";

/** SG_IO round trip. */
export const sgIo: Figure = {
  name: "sg-io",
  where: "lab",
  measure: async (scale) => {
    const node = lun().nexuses.A.sg;
    const nexus = await openSgDevice(node, { writable: false });
    try {
      return await withDirectory(async (directory) => {
        const loop = await compiled("sg_loop", directory);
        return {
          rows: [
            await row("TEST UNIT READY", (n) => n.execute(new Uint8Array(6), 0), [loop, node, "tur"], nexus, scale),
            await row("PR IN READ KEYS", (n) => prIn(n, "readKeys", 256), [loop, node, "keys"], nexus, scale),
          ],
        };
      });
    } finally {
      nexus.close();
    }
  },
};

async function row(
  name: string,
  send: (nexus: Nexus) => Promise<unknown>,
  [loop, node, kind]: readonly [string, string, string],
  nexus: Nexus,
  scale: Scale,
): Promise<Row> {
  const count = scale.small ? COMMANDS.small : COMMANDS.full;
  const { prmig, [LIMIT]: limit } = await inTurn(rounds(scale, 7), {
    prmig: async () =>
      await timed(async () => {
        for (let i = 0; i < count; i++) await send(nexus);
      }) * 1000 / count,
    [LIMIT]: async () => Number(await ran([loop, node, String(count), kind])),
  });
  return {
    figure: `SG_IO round trip, ${name}`,
    unit: "µs",
    prmig: prmig!,
    peers: { [LIMIT]: limit! },
    targets: [{ says: "at most 1.3 x the C loop", against: LIMIT, atMost: 1.3 }],
    note:
      `${count} commands one after the other, on /dev/sgN of LIO. The C loop waits in the kernel. prmig may not, as a ` +
      "command that hangs would hold up timers and signals: each goes to a thread and back, two switches of threads and six system " +
      "calls more. What that costs without emulation is in the rows of a command's way; a LUN that takes three times as long as that " +
      "meets the target. In user-mode Linux a system call takes some 20 µs and a thread's way there and back, in C, 90 to 260 µs: the bound is " +
      "about 3 x there.",
  };
}
