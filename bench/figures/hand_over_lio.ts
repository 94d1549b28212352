/**
 * The moment of the switch on a real target: 16 LUNs of LIO, from nexus A to nexus B, everything prepared.
 *
 * The script is an operator's: LUN after LUN sg_persist re-keys, preempts and reads. The C program sends the same commands and
 * neither waits for another process nor asks whether anything has changed: the limit.
 *
 * @module
 */
import type { Lun } from "../../lib/migrate/lun.ts";
import { prOut } from "../../lib/pr/commands.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";
import { patient } from "../../lib/pr/patient.ts";
import { openSgDevice } from "../../lib/sg/mod.ts";
import { extraLuns } from "../../tests/lab/init/luns.ts";
import type { LabLun } from "../../tests/lab/support.ts";
import type { Figure } from "../figure.ts";
import { compiled, inTurn, ran, rounds, timed, withDirectory } from "../measure.ts";
import { moved } from "../move.ts";

const K = 0x123abcn;
const SCRIPT = "sg_persist script", C = "C program";
const STEPS = `key=$1 token=0x70726d6700000001; shift
while [ $# -gt 0 ]; do
  sg_persist -n --out --register --param-rk=$key --param-sark=$token $1 &&
  sg_persist -n --out --preempt --param-rk=$key --param-sark=$token --prout-type=5 $2 &&
  sg_persist -n --in --read-full-status $2 || exit 1
  shift 2
done`;

interface Both {
  readonly a: Nexus;
  readonly b: Nexus;
  readonly lun: LabLun;
}

/** Hand-over on LIO. */
export const handOverLio: Figure = {
  name: "hand-over-lio",
  where: "lab",
  measure: async (scale) => {
    const { luns, remove } = await extraLuns(scale.small ? 2 : 16);
    const all: Both[] = [];
    try {
      for (const lun of luns) {
        const [a, b] = [lun.nexuses.A.sg, lun.nexuses.B.sg].map((node) => openSgDevice(node, { writable: true }));
        all.push({ a: patient(await a!), b: patient(await b!), lun });
      }
      const nodes = luns.flatMap(({ nexuses: { A, B } }) => [A.sg, B.sg]);
      return await withDirectory(async (directory) => {
        const program = await compiled("pr_move", directory);
        const times = await inTurn(rounds(scale, 5), {
          prmig: async () => {
            await begin(all, false);
            return (await moved(side(all, "a"), side(all, "b"))).verified;
          },
          [SCRIPT]: async () => {
            await begin(all, true);
            return await timed(() => ran(["sh", "-c", STEPS, "sh", hex(K), ...nodes]));
          },
          [C]: async () => {
            await begin(all, true);
            return Number(await ran([program, hex(K), ...nodes]));
          },
        }, 2);
        return {
          rows: [{
            figure: `hand-over, gate to verified: ${luns.length} LUNs of LIO`,
            unit: "ms",
            prmig: times.prmig!,
            peers: { [SCRIPT]: times[SCRIPT]!, [C]: times[C]! },
            targets: [{ says: "10 x faster than the script", against: SCRIPT, atMost: 1 / 10 }],
          }],
        };
      });
    } finally {
      await clear(all);
      for (const { a, b } of all) {
        a.close();
        b.close();
      }
      await remove();
    }
  },
};

function hex(key: bigint): string {
  return `0x${key.toString(16)}`;
}

function side(all: readonly Both[], which: "a" | "b"): Lun[] {
  return all.map((each, i) => ({
    device: `${which}${i}`,
    designator: each.lun.designator,
    paths: [{ nexus: each[which], relativeTargetPort: which === "a" ? 1 : 2 }],
  }));
}

/** A holds; with `prepared` B is registered under the same key, as a hand-over's destination is before the switch. */
async function begin(all: readonly Both[], prepared: boolean): Promise<void> {
  await clear(all);
  for (const { a, b } of all) {
    await insist(a, { action: "registerAndIgnore", sark: K, aptpl: false });
    await insist(a, { action: "reserve", rk: K, type: 5 });
    if (prepared) await insist(b, { action: "registerAndIgnore", sark: K, aptpl: false });
  }
}

async function clear(all: readonly Both[]): Promise<void> {
  for (const { a } of all) {
    await insist(a, { action: "registerAndIgnore", sark: K, aptpl: false });
    await insist(a, { action: "clear", rk: K });
  }
}

async function insist(nexus: Nexus, request: Parameters<typeof prOut>[1]): Promise<void> {
  const { status } = await prOut(nexus, request);
  if (status !== 0) throw new Error(`${request.action} on ${nexus.address} ended with status ${status}`);
}
