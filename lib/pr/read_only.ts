/**
 * A Nexus that cannot change a reservation: what `dump`, `watch`, `check` and `--dry-run` read through.
 *
 * @module
 */
import { PR_OUT } from "./cdb.ts";
import type { Nexus } from "./nexus.ts";

/** Wraps a nexus. A PERSISTENT RESERVE OUT rejects with a plain Error, as only a defect of ours can send one here. */
export function readOnly(nexus: Nexus): Nexus {
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    execute: (cdb, data, options) => {
      if (cdb[0] !== PR_OUT) return nexus.execute(cdb, data, options);
      return Promise.reject(new Error(`PERSISTENT RESERVE OUT on ${nexus.address}, which is open for reading only`));
    },
    close: () => nexus.close(),
  };
}
