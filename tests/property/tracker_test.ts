/**
 * The tracker against the simulated LUN: after any commands by any nexuses, a client whose own commands alone touched its
 * registration is tracked as it is on the LUN.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { PR_OUT_ACTION, type PrOutAction, prOutCdb } from "../../lib/pr/cdb.ts";
import { encodePrOut, encodeRegisterAndMove } from "../../lib/pr/pr_out.ts";
import { readState } from "../../lib/pr/read_state.ts";
import { patient } from "../../lib/pr/patient.ts";
import { isHolder, type LunModel, registrationOf } from "../../lib/pr/sim/model.ts";
import { simTransportId } from "../../lib/pr/sim/nexus_id.ts";
import { PROFILES } from "../../lib/pr/sim/profile.ts";
import { track, type Tracked, UNKNOWN_CLIENT } from "../../lib/pr/tracker.ts";
import { observe, type OwnPort } from "../../lib/pr/tracker_observe.ts";
import { classify } from "../../lib/scsi/outcome.ts";
import { STATUS } from "../../lib/scsi/status.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";

const GUEST = "guest", STRANGERS = ["b", "c"];
const KEYS = [0n, 0x11n, 0x22n, 0x33n];
const TYPES = [0, 1, 3, 5, 6, 7, 8];
const ACTIONS = Object.keys(PR_OUT_ACTION) as PrOutAction[];

interface Command {
  readonly who: string;
  readonly action: PrOutAction;
  readonly type: number;
  /** `null`: the key the sender is registered with, so that commands often succeed. */
  readonly rk: bigint | null;
  readonly sark: bigint;
  readonly aptpl: boolean;
  /** Of REGISTER AND MOVE: whom to move to, and whether the sender's registration goes. */
  readonly to: string;
  readonly unreg: boolean;
}

const command: fc.Arbitrary<Command> = fc.record({
  who: fc.constantFrom(GUEST, GUEST, GUEST, ...STRANGERS),
  action: fc.constantFrom<PrOutAction>(...ACTIONS, "register", "reserve", "reserve", "release", "preempt"),
  type: fc.constantFrom(...TYPES),
  rk: fc.constantFrom(null, null, null, ...KEYS),
  sark: fc.constantFrom(...KEYS),
  aptpl: fc.boolean(),
  to: fc.constantFrom(GUEST, ...STRANGERS),
  unreg: fc.boolean(),
});

function listOf({ action, sark, aptpl, to, unreg }: Command, rk: bigint): Uint8Array {
  if (action !== "registerAndMove") return encodePrOut({ rk, sark, aptpl });
  const transportId = simTransportId(to);
  return encodeRegisterAndMove({ rk, sark, unreg, aptpl, relativeTargetPort: 1, transportId });
}

function truth(model: LunModel): [bigint, number] {
  const registration = registrationOf(model, GUEST);
  const type = registration && isHolder(model, GUEST) ? model.reservation!.type : 0;
  return [registration?.key ?? 0n, type];
}

/** Plays commands; `check` sees every instant at which the tracked state has to be the LUN's. */
async function play(
  profile: string,
  own: OwnPort,
  commands: readonly Command[],
  check: (tracked: Tracked, model: LunModel, story: string) => void,
): Promise<{ asked: number; later: number; moved: number }> {
  const lun = new MemoryLun({ profile: PROFILES[profile], record: false });
  const guest = lun.nexus(GUEST);
  let tracked: Tracked = UNKNOWN_CLIENT;
  let touched = false;
  let asked = 0, later = 0, moved = 0;
  const told: string[] = [];
  for (const command of commands) {
    const { who, action, type, rk: sent, sark } = command;
    const rk = sent ?? registrationOf(lun.model, who)?.key ?? 0n;
    const before = truth(lun.model);
    const data = listOf(command, rk);
    const cdb = prOutCdb({ action, type, parameterListLength: data.length });
    const reply = await lun.nexus(who).execute(cdb, data);
    told.push(`${who} ${action} type ${type} rk ${rk} sark ${sark} -> ${reply.status}`);
    if (action === "registerAndMove" && reply.status === STATUS.good) moved++;
    if (who !== GUEST) {
      // The guest's registration or its holding changed behind its back: until it asks, it cannot know.
      touched ||= truth(lun.model).some((value, i) => value !== before[i]);
      continue;
    }
    const step = track(tracked, cdb, data, classify(reply));
    tracked = step.tracked;
    if (step.ask) {
      step.ask.when === "now" ? asked++ : later++;
      const seen = observe(tracked, await readState(patient(guest)), own);
      tracked = seen.tracked;
      if (seen.open === null) touched = false;
    }
    if (!touched) check(tracked, lun.model, told.join("\n"));
  }
  return { asked, later, moved };
}

/** What the LIO host of the lab, and most others, reveal. */
function revealing(lun = new MemoryLun()): OwnPort {
  return { initiator: lun.nexus(GUEST).initiator, relativeTargetPort: 1 };
}

const byAnybody = fc.array(command, { minLength: 5, maxLength: 30, size: "max" });
/** One who is alone moves to nobody: that would be a stranger's registration. */
const byGuestAlone = fc.array(
  command.filter(({ action }) => action !== "registerAndMove").map((each) => ({ ...each, who: GUEST })),
  {
    minLength: 5,
    maxLength: 30,
    size: "max",
  },
);
/** Those who register, reserve and move, so that most of what is moved can be. */
const byMovers = fc.array(
  fc.record({
    command,
    action: fc.constantFrom<PrOutAction>(
      "register",
      "reserve",
      "registerAndMove",
      "registerAndMove",
      "release",
      "preempt",
    ),
    type: fc.constantFrom(1, 3, 5, 6),
    sark: fc.constantFrom(...KEYS.slice(1)),
  }).map(({ command, ...rest }) => ({ ...command, ...rest, rk: null })),
  { minLength: 5, maxLength: 30, size: "max" },
);
/** tgt grants a RESERVE under any key: what a well-behaved guest sends there is its own. */
const byHonestGuest = byGuestAlone.map((all) =>
  all.map((each) => each.action === "reserve" ? { ...each, rk: null } : each)
);
const NOTHING: OwnPort = { initiator: null, relativeTargetPort: null };

type Row = [target: string, host: string, own: OwnPort, commands: fc.Arbitrary<Command[]>];
const ROWS: Row[] = [
  ...["spc4", "lio", "lio-no-aptpl", "scst"].map((target): Row => [target, "knows its port", revealing(), byAnybody]),
  ...["spc4", "lio", "scst"].map((
    target,
  ): Row => [target, "knows its port, and all move", revealing(), byMovers]),
  // Without names a stranger's registration cannot be told from the guest's, so here there are no strangers.
  ...["spc4", "lio", "scst"].map((
    target,
  ): Row => [target, "knows nothing, the guest is alone", NOTHING, byGuestAlone]),
  ["tgt", "knows nothing, the guest is alone and honest", NOTHING, byHonestGuest],
];
for (const [target, host, own, commands] of ROWS) {
  Deno.test(`tracked (key, type) is the LUN's truth: target ${target}, host ${host}`, async () => {
    let checks = 0, holding = 0, moves = 0;
    const check = (tracked: Tracked, model: LunModel, story: string): void => {
      if (tracked.key === null) return; // says itself that it does not know
      checks++;
      if (truth(model)[1] !== 0) holding++;
      assert.deepEqual([tracked.key, tracked.type], truth(model), story);
    };
    const property = fc.asyncProperty(commands, async (each) => {
      moves += (await play(target, own, each, check)).moved;
    });
    await fc.assert(property, { numRuns: 400 });
    assert.ok(checks > 2000 && holding > 300, `${checks} comparisons, ${holding} of them while the guest held`);
    assert.ok(commands !== byMovers || moves > 100, `${moves} REGISTER AND MOVE that moved`);
  });
}

Deno.test("register, reserve, release, unregister by the rules: nothing is asked at once, whatever the type", async () => {
  for (const type of TYPES.slice(1)) {
    const by = (action: PrOutAction, rk: bigint, sark: bigint): Command => ({
      who: GUEST,
      action,
      type,
      rk,
      sark,
      aptpl: false,
      to: GUEST,
      unreg: false,
    });
    const life = [
      by("register", 0n, 0x11n),
      by("reserve", 0x11n, 0n),
      by("register", 0x11n, 0x22n),
      by("release", 0x22n, 0n),
    ];
    const { asked } = await play("spc4", revealing(), [...life, by("register", 0x22n, 0n)], () => {});
    assert.equal(asked, 0);
  }
});
