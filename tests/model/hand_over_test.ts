/**
 * The hand-over, driven through its courses of events: both sides' real code on the simulated LUN, with a crash of either
 * side at every step, commands that arrive late, links that break, deadlines that pass, a third party that fences the
 * guest, and `recover` on whoever is left. I1 to I4 and the end are judged in every world (invariants.ts).
 *
 * Every scene is explored to its end: no limit, no sampling.
 */
import assert from "node:assert/strict";
import { PROFILES } from "../../lib/pr/sim/profile.ts";
import type { PrType } from "../../lib/pr/types.ts";
import { explore } from "./explore.ts";
import type { ProcessPorts } from "./process.ts";
import type { Budget, Mutation, Variant } from "./scene.ts";

const NONE: Budget = { crashes: 0, faults: 0, jumps: 0 };
const CRASH: Budget = { ...NONE, crashes: 1 };
const FAULT: Budget = { ...NONE, faults: 1 };
const JUMP: Budget = { ...NONE, jumps: 1 };
const CRASH_AND_DEADLINE: Budget = { crashes: 1, faults: 0, jumps: 1 };
const CRASH_AND_FAULT: Budget = { crashes: 1, faults: 1, jumps: 0 };
const TWO_FAULTS: Budget = { ...NONE, faults: 2 };
const CTRL_C: Budget = { ...NONE, interrupts: 1 };
const TWO_CRASHES: Budget = { ...NONE, crashes: 2 };

function variant(type: PrType | 0, budget: Budget, choices: Partial<Variant> = {}): Variant {
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
    ptpl && "APTPL",
    crashes > 0 && `${crashes} crash${crashes > 1 ? "es" : ""}`,
    faults > 0 && `${faults} fault${faults > 1 ? "s" : ""}${choices.kinds ? ` (${choices.kinds.join(", ")})` : ""}`,
    jumps > 0 && `${jumps} early deadline`,
    budget.interrupts && "Ctrl-C",
    choices.guest && `the guest ${choices.guest}`,
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
const VARIANTS: Variant[] = [
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
];

Deno.test("the hand-over holds its invariants in every world there is", async (t) => {
  let worlds = 0;
  let residual = 0;
  for (const each of VARIANTS) {
    const seen = await explore(each);
    // The count is part of the name, since a quiet run shows nothing else.
    await t.step(`${seen.worlds} worlds, ${seen.ends} ends: ${each.name}`, () => {
      assert.equal(seen.violation, null, seen.violation?.trace);
      assert(seen.ends > 10, "a scene that hardly ever ends");
    });
    worlds += seen.worlds;
    residual += seen.residual;
  }
  console.log(
    `${worlds} worlds explored, all ${VARIANTS.length} scenes to their end; ${residual} ends in the documented residual`,
  );
  assert(worlds > 100_000, `only ${worlds} worlds`);
});

/** A nexus whose PERSISTENT RESERVE OUTs are changed on their way. */
function changing(ports: ProcessPorts, change: (cdb: Uint8Array, data: Uint8Array) => Uint8Array): ProcessPorts {
  return {
    ...ports,
    nexus: (lun, name, like) => {
      const nexus = ports.nexus(lun, name, like);
      return {
        ...nexus,
        address: nexus.address,
        initiator: nexus.initiator,
        execute: (cdb, data, options) =>
          nexus.execute(cdb, cdb[0] === 0x5f && typeof data !== "number" ? change(cdb, data) : data, options),
        close: () => nexus.close(),
      };
    },
  };
}

const MUTANTS: Record<string, { mutation: Mutation; on: Variant }> = {
  "the source does not write down that it commits": {
    mutation: {
      source: (ports) => ({
        ...ports,
        journal: { write: (entry) => entry.phase === "committing" ? Promise.resolve() : ports.journal.write(entry) },
      }),
    },
    on: variant(5, CRASH),
  },
  "the destination preempts the guest's key, not the token": {
    mutation: {
      destination: (ports, offer) =>
        changing(ports, (cdb, data) => {
          if ((cdb[1]! & 0x1f) !== 4) return data;
          const other = data.slice();
          new DataView(other.buffer).setBigUint64(8, offer.key);
          return other;
        }),
    },
    on: variant(5, CRASH, { shared: true }),
  },
  "the source forgets the power-loss setting": {
    mutation: {
      source: (ports) =>
        changing(ports, (cdb, data) => {
          const other = data.slice();
          if ((cdb[1]! & 0x1f) === 0) other[20] = 0;
          return other;
        }),
    },
    on: variant(5, CRASH, { ptpl: true }),
  },
  "the source unregisters where it should step under its token": {
    mutation: {
      source: (ports, offer) =>
        changing(ports, (cdb, data) => {
          const other = data.slice();
          const view = new DataView(other.buffer);
          if ((cdb[1]! & 0x1f) === 0 && view.getBigUint64(8) === offer.commitToken) view.setBigUint64(8, 0n);
          return other;
        }),
    },
    on: variant(5, CRASH),
  },
};

for (const [what, { mutation, on }] of Object.entries(MUTANTS)) {
  Deno.test(`mutant: ${what}: the check finds it`, async () => {
    const { violation } = await explore({ ...on, mutation }, 100_000);
    assert(violation, "nothing was found wrong");
    assert(violation.trace.includes(violation.wrong));
  });
}
