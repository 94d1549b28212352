/**
 * The scenes of the model check: each kind of trouble with each kind of hand-over.
 *
 * @module
 */
import { PROFILES } from "../../lib/pr/sim/profile.ts";
import type { PrType } from "../../lib/pr/types.ts";
import type { Budget, Variant } from "./scene.ts";

export const NONE: Budget = { crashes: 0, faults: 0, jumps: 0 };
export const CRASH: Budget = { ...NONE, crashes: 1 };
export const FAULT: Budget = { ...NONE, faults: 1 };
const JUMP: Budget = { ...NONE, jumps: 1 };
const CRASH_AND_DEADLINE: Budget = { crashes: 1, faults: 0, jumps: 1 };
const CRASH_AND_FAULT: Budget = { crashes: 1, faults: 1, jumps: 0 };
const TWO_FAULTS: Budget = { ...NONE, faults: 2 };
const CTRL_C: Budget = { ...NONE, interrupts: 1 };
export const TWO_CRASHES: Budget = { ...NONE, crashes: 2 };

/** The destination is dead, the source goes back, is killed at it, and is fenced at some instant. */
export const ON_THE_WAY_BACK = { fence: true, killed: "source", destinationDies: true, troubleFromMs: 5000 } as const;

/** A scene; its name says how it differs from the others. */
export function variant(type: PrType | 0, budget: Budget, choices: Partial<Variant> = {}): Variant {
  const { shared = false, duplex = false, fence = false, profile = PROFILES.spc4!, ptpl = false } = choices;
  const words = [
    `type ${type}`,
    shared && "shared key",
    duplex ? "two-way" : "one-way",
    fence && "fenced",
    profile.name,
  ];
  const { crashes, faults, jumps } = budget;
  const name = [
    ...words,
    choices.method === "plain" && "plain method",
    choices.paths === 2 && "two paths",
    choices.luns === 2 && "two LUNs",
    ptpl && "APTPL",
    crashes > 0 && `${crashes} crash${crashes > 1 ? "es" : ""}${choices.killed ? ` of the ${choices.killed}` : ""}`,
    faults > 0 && `${faults} fault${faults > 1 ? "s" : ""}${choices.kinds ? ` (${choices.kinds.join(", ")})` : ""}`,
    jumps > 0 && `${jumps} early deadline`,
    budget.interrupts && "Ctrl-C",
    choices.guest && `the guest ${choices.guest}${choices.resumes ? " once it runs again" : ""}`,
    choices.becomes !== undefined && `to ${choices.becomes}`,
    choices.destinationDies && "the destination dies for good",
    choices.rollback && "rollback",
  ].filter(Boolean);
  return {
    name: name.join(", "),
    type,
    shared,
    duplex,
    method: "token",
    fence,
    profile,
    paths: 1,
    ptpl,
    budget,
    ...choices,
  };
}

/** Each kind of trouble with each kind of scene; every one is explored to its end. */
export const ONE_LUN: Variant[] = [
  ...([0, 1, 5, 8] as const).flatMap((type) =>
    [false, true].flatMap((shared) => [false, true].map((duplex) => variant(type, CRASH, { shared, duplex })))
  ),
  ...[false, true].map((duplex) => variant(5, CRASH, { duplex, fence: true })),
  ...([8, 0] as const).flatMap((type) => [false, true].map((duplex) => variant(type, NONE, { duplex, fence: true }))),
  variant(8, NONE, { shared: true, fence: true }),
  ...([5, 7] as const).map((type) => variant(type, CRASH, { profile: PROFILES.lio! })),
  ...([5, 8] as const).map((type) => variant(type, CRASH, { profile: PROFILES["lio-no-aptpl"]! })),
  variant(5, CRASH, { ptpl: true }),
  ...([5, 8] as const).flatMap((type) => [false, true].map((duplex) => variant(type, FAULT, { duplex }))),
  variant(5, FAULT, { shared: true, duplex: true }),
  variant(5, CRASH_AND_FAULT),
  variant(5, CRASH_AND_DEADLINE),
  variant(5, JUMP, { duplex: true, fence: true }),
  variant(7, JUMP, { shared: true, duplex: true }),
  variant(5, JUMP, { duplex: true, jumpMs: 2500 }),
  variant(5, TWO_CRASHES),
  ...[false, true].map((duplex) => variant(1, CRASH_AND_DEADLINE, { method: "plain", duplex })),
  variant(5, CRASH_AND_FAULT, { method: "plain" }),
  variant(5, CRASH, { method: "plain", paths: 2 }),
  ...([5, 8] as const).map((type) => variant(type, NONE, { paths: 2 })),
  variant(5, NONE, { paths: 2, fence: true }),
  ...[false, true].map((duplex) => variant(8, NONE, { paths: 2, fence: true, duplex })),
  // Keys without names: whose the guest's key is has to be proved (lib/migrate/proof.ts).
  variant(8, NONE, { profile: PROFILES.tgt! }),
  variant(8, CRASH, { profile: PROFILES.tgt!, duplex: true }),
  // A destination that leaves path by path while the source evicts it, and one command too many goes unanswered.
  variant(8, FAULT, { paths: 2, duplex: true }),
  variant(8, FAULT, { paths: 2, kinds: ["timeout"], troubleFromMs: 10_000 }),
  // A commit that is never answered, from a source that cannot read the LUN either.
  variant(5, TWO_FAULTS, { duplex: true, kinds: ["timeout", "unreadable"] }),
  // Taken back by a person, from a destination that lives or is dead.
  ...([0, 5, 8] as const).map((type) => variant(type, CRASH, { rollback: true })),
  variant(5, CRASH, { rollback: true, duplex: true }),
  variant(5, NONE, { rollback: true, paths: 2 }),
  ...([5, 8] as const).flatMap((type) => [false, true].map((duplex) => variant(type, CTRL_C, { duplex }))),
  variant(5, { ...CTRL_C, crashes: 1 }, { duplex: true }),
  // The guest runs while the hand-over is prepared.
  ...([5, 8] as const).flatMap((type) =>
    (["re-keys", "changes type"] as const).map((guest) => variant(type, NONE, { duplex: true, guest }))
  ),
  ...(["re-keys", "changes type"] as const).map((guest) => variant(5, CRASH, { duplex: true, guest })),
  // The same, killed, while recover evicts a destination that lives: what it takes must be what there is.
  ...([8, 0] as const).map((type) => variant(type, CRASH, { duplex: true, guest: "changes type", killed: "source" })),
  variant(8, CRASH, { duplex: true, guest: "changes type", becomes: 5, killed: "source" }),
  // The guest runs again once its source has turned back, and the destination is still there.
  ...(["re-keys", "changes type"] as const).map((guest) =>
    variant(5, CRASH, { duplex: true, guest, resumes: true, killed: "destination" })
  ),
  // Fenced on the way back, from a destination that is dead: two paths, two crashes, and a person who answers.
  ...([0, 5, 8] as const).map((type) => variant(type, TWO_CRASHES, { ...ON_THE_WAY_BACK, paths: 2 })),
  variant(8, TWO_CRASHES, { ...ON_THE_WAY_BACK, profile: PROFILES.lio! }),
];

/**
 * Hand-overs of two LUNs: all or none. Their courses differ from those of one LUN by what happens to one of the two and not
 * to the other; what needs two troubles at once is left to the scenes of one LUN.
 */
export const TWO_LUNS: Variant[] = [
  ...([0, 1, 5, 8] as const).map((type) => variant(type, NONE, { luns: 2, duplex: true })),
  variant(5, NONE, { luns: 2 }),
  variant(5, NONE, { luns: 2, duplex: true, shared: true }),
  ...(["source", "destination"] as const).map((killed) => variant(5, CRASH, { luns: 2, duplex: true, killed })),
  variant(5, NONE, { luns: 2, duplex: true, fence: true }),
  variant(5, FAULT, { luns: 2, duplex: true, kinds: ["refused"] }),
  // Evicted from aside on both.
  variant(8, CRASH, { ...ON_THE_WAY_BACK, luns: 2, duplex: true, fence: false }),
];
