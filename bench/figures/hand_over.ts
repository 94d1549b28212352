/**
 * The moment of the switch, on simulated LUNs that take 1 ms for every command: from the gate, everything prepared, until the
 * destination has verified. That is commit and take with a look before and a look after them: four commands, one after the
 * other. The source verifies after that, while the guest runs already.
 *
 * The limit is that millisecond: what four commands one after the other cost here, timer included, as a switch has no fewer.
 * The script is what an operator would write, LUN after LUN, without a process to start for each command.
 *
 * @module
 */
import type { Lun } from "../../lib/migrate/lun.ts";
import { prOut } from "../../lib/pr/commands.ts";
import type { Nexus } from "../../lib/pr/nexus.ts";
import { patient } from "../../lib/pr/patient.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";
import type { Figure, Row, Sample } from "../figure.ts";
import { inTurn, rounds, sample, timed } from "../measure.ts";
import { moved, type Switch } from "../move.ts";

const COMMAND_MS = 1;
const K = 0x123abcn;
/** The source's READ FULL STATUS and REGISTER (commit), the destination's PREEMPT (take) and READ FULL STATUS (verify). */
const COMMANDS = 4;
const MANY =
  "The commands of all LUNs overlap, nothing waits for another LUN: what grows is the work of both sides and of the " +
  "simulated LUN in one process, 25 µs a command. Where others have the processors that work takes their time, too; the least of " +
  "the range is what a quiet machine takes.";
const LIMIT = "4 commands", SCRIPT = "one command after the other", ONE = "1 LUN";

/** Hand-over, simulated. */
export const handOver: Figure = {
  name: "hand-over",
  where: "machine",
  measure: async (scale) => {
    const rows: Row[] = [];
    let [one, oneTaken]: (Sample | null)[] = [null, null];
    for (const count of scale.small ? [1, 4] : [1, 16, 64, 256]) {
      const taken: number[] = [];
      const { prmig, [LIMIT]: limit, [SCRIPT]: script } = await inTurn(rounds(scale, 15), {
        prmig: async () => {
          const switched = await simulated(count);
          taken.push(switched.taken);
          return switched.verified;
        },
        [LIMIT]: () => timed(() => commands(COMMANDS)),
        [SCRIPT]: () => timed(() => commands(COMMANDS * count)),
      }, 2);
      one ??= prmig!;
      rows.push(row(count, prmig!, { [LIMIT]: limit!, [SCRIPT]: script!, [ONE]: one }));
      const counted = sample(taken.slice(-rounds(scale, 15))); // those before them were to warm up
      oneTaken ??= counted;
      rows.push(takenRow(count, counted, { [LIMIT]: limit!, [ONE]: oneTaken }));
    }
    return { rows };
  },
};

function row(count: number, prmig: Sample, peers: Readonly<Record<string, Sample>>): Row {
  const targets: Record<number, Row["targets"]> = {
    1: [{ says: "within 4 commands' time (1.3 x for the runtime)", against: LIMIT, atMost: 1.3 }],
    16: [{ says: "10 x faster than the script", against: SCRIPT, atMost: 1 / 10 }],
    64: [{ says: "at most 3 x that of 1 LUN", against: ONE, atMost: 3 }],
    256: [{ says: "at most 4 x that of 1 LUN", against: ONE, atMost: 4 }],
  };
  return {
    figure: `hand-over, gate to verified: ${count} LUN${count > 1 ? "s" : ""}, simulated, 1 ms a command`,
    unit: "ms",
    prmig,
    peers,
    targets: targets[count] ?? [],
    ...(count === 256 ? { note: MANY } : {}),
  };
}

/** The part in which the guest's LUNs are on their way: a last look at the source, commit, take. */
function takenRow(count: number, prmig: Sample, peers: Readonly<Record<string, Sample>>): Row {
  const targets: Record<number, Row["targets"]> = {
    1: [{ says: "within 4 commands' time", against: LIMIT, atMost: 1 }],
    64: [{ says: "at most 3 x that of 1 LUN", against: ONE, atMost: 3 }],
  };
  return {
    figure: `hand-over, gate to taken: ${count} LUN${count > 1 ? "s" : ""}, simulated, 1 ms a command`,
    ...{ unit: "ms", prmig, peers, targets: targets[count] ?? [] },
  };
}

async function commands(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await pause();
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, COMMAND_MS));
}

function slow(nexus: Nexus): Nexus {
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    execute: async (cdb, data) => (await pause(), await nexus.execute(cdb, data)),
    close: () => nexus.close(),
  };
}

/** Moves `count` LUNs and takes the time of the switch. */
export async function simulated(count: number): Promise<Switch> {
  const luns = Array.from({ length: count }, () => new MemoryLun({ record: false }));
  for (const lun of luns) {
    await prOut(lun.nexus("A"), { action: "register", rk: 0n, sark: K, aptpl: false });
    await prOut(lun.nexus("A"), { action: "reserve", rk: K, type: 5 });
  }
  const side = (name: string): Lun[] =>
    luns.map((lun, i) => ({
      device: `${name}${i}`,
      designator: `naa.${i}`,
      paths: [{ nexus: patient(slow(lun.nexus(name))), relativeTargetPort: 1 }],
    }));
  return await moved(side("A"), side("B"));
}
