/**
 * Trouble at every command of a hand-over, on either side, of every kind: the outcome is what the LUN shows, both sides
 * say so, nobody else is touched, and no PERSISTENT RESERVE OUT is repeated before the LUN was read.
 */
import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { runDestination } from "../../../lib/migrate/destination.ts";
import type { JournalEntry } from "../../../lib/migrate/journal_entry.ts";
import { Lease } from "../../../lib/migrate/lease.ts";
import { recover, resumeRun } from "../../../lib/migrate/recover.ts";
import { runSource } from "../../../lib/migrate/source.ts";
import type { Nexus } from "../../../lib/pr/nexus.ts";
import { PROFILES } from "../../../lib/pr/sim/profile.ts";
import { readRegistrations } from "../../../lib/pr/read_state.ts";
import { type Fault, type FaultAt, faulty, type FaultyNexus } from "../../support/faults.ts";
import { C_KEY, K, ports, runs, type Scene, scene, type SceneOptions } from "../../support/hand_over_scene.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const WINDOW_MS = 5000;
const FAULTS: Fault[] = [
  "unitAttention",
  "busy",
  "taskSetFull",
  "conflict",
  "timeoutDone",
  "timeoutNotDone",
  "shortData",
  "garbageSense",
  "error",
];
/** Faults after which nobody knows whether the command was carried out. */
const UNKNOWN: Fault[] = ["timeoutDone", "timeoutNotDone", "garbageSense", "error"];
const GONE = new PrmigError("unsure", {
  message: "the system call failed: EIO",
  lun: "unknown",
  remedy: "prmig dump",
});
const SCENES: Omit<SceneOptions, "clock">[] = [
  { type: 5 },
  { type: 5, shared: true },
  { type: 1, profile: PROFILES.lio! },
  { type: 8 },
  { type: 0 },
];

/** A hand-over in which one side's nexus has trouble ahead, then `recover` wherever a journal was left open. */
class Trial {
  readonly journals: { source: JournalEntry[]; destination: JournalEntry[] } = { source: [], destination: [] };
  readonly nexuses: FaultyNexus[] = [];
  scene!: Scene;
  ends!: PromiseSettledResult<{ outcome: string }>[];

  async run(options: Omit<SceneOptions, "clock">, side: "A" | "B", plan: readonly FaultAt[]): Promise<void> {
    const wrap = (nexus: Nexus, at: "A" | "B"): Nexus => {
      const wrapped = faulty(nexus, at === side ? plan : []);
      this.nexuses.push(wrapped);
      return wrapped;
    };
    this.scene = await scene({ ...options, wrap, clock: new VirtualClock() });
    const { source, destination } = this.journals;
    let both: Awaited<ReturnType<typeof runs>>;
    try {
      both = await runs(this.scene, ports(this.scene, source), ports(this.scene, destination), WINDOW_MS);
    } catch (reason) {
      // No offer could be made: there is no hand-over, and nothing was sent that changes anything.
      if (!(reason instanceof PrmigError)) throw reason;
      this.ends = [{ status: "rejected", reason }, { status: "rejected", reason }];
      return;
    }
    this.ends = await Promise.allSettled([
      runSource(both.source, new Lease(WINDOW_MS, 0)),
      runDestination(both.destination),
    ]);
    for (const end of this.ends) {
      if (end.status === "rejected" && !(end.reason instanceof PrmigError)) throw end.reason;
    }
    for (const entries of [source, destination, source]) await this.#recover(entries);
  }

  async #recover(entries: JournalEntry[]): Promise<void> {
    const entry = entries.at(-1);
    if (!entry || entry.phase === "closed") return;
    const lun = entry.role === "source" ? this.scene.a : this.scene.b;
    const run = resumeRun(entry, [lun], ports(this.scene, entries), WINDOW_MS);
    await recover(run, { timeoutMs: WINDOW_MS, endedMsAgo: 0 });
  }

  /** Number of commands a side sends when nothing is wrong. */
  static async commands(options: Omit<SceneOptions, "clock">): Promise<[number, number]> {
    const trial = new Trial();
    await trial.run(options, "A", []);
    return [trial.nexuses[0]!.seen.length, trial.nexuses[1]!.seen.length];
  }
}

async function judge(trial: Trial, { type, shared }: Omit<SceneOptions, "clock">, what: string): Promise<void> {
  const { registrations, reservation } = await readRegistrations(trial.scene.lun.nexus("D"));
  const seen = registrations.map((r) => `${r.transportId!.address.at(-1)} ${r.key.toString(16)} ${r.holder}`).sort();
  const at = seen.some((s) => s.startsWith("b")) ? "b" : "a";
  const bystander = `c ${(shared ? K : C_KEY).toString(16)} ${type === 8}`;
  assert.deepEqual(seen, [`${at} ${K.toString(16)} ${type !== 0}`, bystander], what);
  assert.equal(reservation?.type ?? 0, type, what);
  const [sent, taken] = trial.ends;
  const outcome = at === "b" ? "moved" : "restored";
  for (const [end, role] of [[sent, "source"], [taken, "destination"]] as const) {
    if (end!.status === "fulfilled") assert.equal(end!.value.outcome, outcome, `${what}: the ${role} says`);
    // A failure is one only if the LUN is as before; not to know is said, and recover then finds out.
    else if (end!.reason.kind !== "unsure") assert.equal(at, "a", `${what}: the ${role} says ${end!.reason.message}`);
    const closed = trial.journals[role].at(-1);
    if (closed) assert.equal(closed.phase, "closed", `${what}: journal of the ${role}`);
    if (closed && closed.outcome !== "nothing") {
      assert.equal(closed.outcome, outcome, `${what}: journal of the ${role}`);
    }
  }
  for (const nexus of trial.nexuses) repeatsOnlyAfterReading(nexus, what);
}

function repeatsOnlyAfterReading({ seen }: FaultyNexus, what: string): void {
  seen.forEach(({ cdb, fault }, i) => {
    if (cdb[0] !== 0x5f || fault === null || !UNKNOWN.includes(fault)) return;
    const next = seen[i + 1];
    assert(next === undefined || next.cdb[0] === 0x5e, `${what}: a PR OUT of unknown outcome is followed by another`);
  });
}

for (const options of SCENES) {
  const { type, shared = false, profile = PROFILES.spc4! } = options;
  Deno.test(`any trouble at any command, type ${type}${shared ? ", shared key" : ""}, target ${profile.name}`, async () => {
    const [ofA, ofB] = await Trial.commands(options);
    assert(ofA >= 3 && ofB >= 4, `${ofA} and ${ofB} commands`);
    for (const [side, count] of [["A", ofA], ["B", ofB]] as const) {
      for (let at = 0; at < count; at++) {
        for (const fault of FAULTS) {
          const trial = new Trial();
          const what = `${fault} at command ${at} of ${side}`;
          await trial.run(options, side, [{ at, fault, error: GONE }]).catch((error) => {
            throw new Error(`${what}: ${error}`, { cause: error });
          });
          await judge(trial, options, what);
        }
      }
    }
  });
}

Deno.test("BUSY for a while is waited out, and BUSY for ever ends with the LUN as it was", async () => {
  const short = new Trial();
  await short.run({ type: 5 }, "B", [{ at: 0, fault: "busy", times: 6 }]);
  await judge(short, { type: 5 }, "busy six times");
  assert.equal(short.ends[1]!.status, "fulfilled");
  const long = new Trial();
  await long.run({ type: 5 }, "B", [{ at: 0, fault: "busy", times: 10_000, opcode: 0x5f }]);
  await judge(long, { type: 5 }, "busy for ever");
  assert.deepEqual(long.ends.map((end) => end.status), ["rejected", "rejected"]);
});

Deno.test("LIO with a directory it cannot write: NOT READY after every REGISTER that did take effect", async () => {
  for (const type of [5, 8, 0] as const) {
    const trial = new Trial();
    await trial.run({ type, profile: PROFILES["lio-no-aptpl"]! }, "A", []);
    assert.deepEqual(trial.ends.map((end) => end.status), ["fulfilled", "fulfilled"]);
    await judge(trial, { type }, `type ${type}`);
  }
});
