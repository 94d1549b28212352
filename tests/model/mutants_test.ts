/**
 * The model check finds what it is there to find: defects put into one side's ports.
 */
import assert from "node:assert/strict";
import type { JournalEntry, JournalLun } from "../../lib/migrate/journal_entry.ts";
import { isToken } from "../../lib/migrate/tokens.ts";
import { explore } from "./explore.ts";
import type { ProcessPorts } from "./process.ts";
import type { Mutation, Variant } from "./scene.ts";
import { CRASH, ON_THE_WAY_BACK, TWO_CRASHES, variant } from "./variants.ts";

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
  "the source does not remember which of its paths stood before it brought others back": {
    mutation: { source: (ports) => forgetting(ports, ({ standing: _, ...rest }) => rest) },
    on: variant(8, TWO_CRASHES, { ...ON_THE_WAY_BACK, paths: 2 }),
  },
  "the source steps aside to the key that it offered": {
    mutation: {
      source: (ports, offer) =>
        changing(ports, (cdb, data) => {
          const other = data.slice();
          const view = new DataView(other.buffer);
          const [rk, sark] = [view.getBigUint64(0), view.getBigUint64(8)];
          if (isToken(rk)) view.setBigUint64(0, offer.commitToken);
          if ((cdb[1]! & 0x1f) === 0 && isToken(sark)) view.setBigUint64(8, offer.commitToken);
          return other;
        }),
    },
    on: variant(8, CRASH, { duplex: true, guest: "changes type", killed: "source" }),
  },
  "the source writes down one LUN of two": {
    mutation: {
      source: (ports) => ({
        ...ports,
        journal: { write: (entry) => ports.journal.write({ ...entry, luns: entry.luns.slice(0, 1) }) },
      }),
    },
    on: variant(5, CRASH, { luns: 2, duplex: true, killed: "source" }),
  },
};

/** Leaves some of what a side writes down out of its journal. */
function forgetting(ports: ProcessPorts, forget: (lun: JournalLun) => JournalLun): ProcessPorts {
  const write = (entry: JournalEntry): Promise<void> => ports.journal.write({ ...entry, luns: entry.luns.map(forget) });
  return { ...ports, journal: { write } };
}

for (const [what, { mutation, on }] of Object.entries(MUTANTS)) {
  Deno.test(`mutant: ${what}: the check finds it`, async () => {
    const { violation } = await explore({ ...on, mutation }, { limit: 100_000 });
    assert(violation, "nothing was found wrong");
    assert(violation.trace.includes(violation.wrong));
  });
}
