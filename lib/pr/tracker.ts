/**
 * The tracker: what one client of a LUN holds, told from its own PERSISTENT RESERVE OUT commands and their outcomes.
 *
 *     track(what was known, CDB, parameter list, outcome) -> what is known now + what must be asked of the device
 *
 * Pure. It changes nothing but on GOOD; it believes nothing that a GOOD does not prove, and says so: `null` is "not
 * known", and `ask` names what has to be read. Source: SPC-4, "PERSISTENT RESERVE OUT"; what each GOOD proves is
 * section "What a snooper knows" of docs/snoop.md. Register, reserve, release prove enough: they ask nothing.
 *
 * @module
 */
import { BeReader } from "../bytes.ts";
import type { Outcome } from "../scsi/outcome.ts";
import { PR_OUT_ACTION } from "./cdb.ts";
import { formatKey, isPrType } from "./types.ts";

/** What is known of one client on one LUN. */
export interface Tracked {
  /** Its registered key; 0: not registered; `null`: not known. */
  readonly key: bigint | null;
  /** Type of the reservation it holds (alone, or as one of all registrants); 0: it holds none; `null`: not known. */
  readonly type: number | null;
  /** Power-loss setting its last register-type command asked for; `null`: not known. It belongs to the whole LUN. */
  readonly aptpl: boolean | null;
}

/** A client nothing is known about. */
export const UNKNOWN_CLIENT: Tracked = { key: null, type: null, aptpl: null };

/**
 * What should be read from the device. `now`: what is known may be wrong or is not enough. `later`: it is right unless somebody
 * else made an all-registrants reservation, of which a new registrant becomes a holder without a word; the next
 * look at the LUN, whoever takes it, settles that.
 */
export interface Ask {
  readonly when: "now" | "later";
  /** Why, as the middle of a sentence. */
  readonly why: string;
}

/** Result of one command. */
export interface Step {
  readonly tracked: Tracked;
  readonly ask: Ask | null;
}

/** A PR OUT as the tracker reads it; the fields that are there, however short the parameter list is. */
interface PrOut {
  readonly action: number;
  readonly type: number;
  readonly rk: bigint;
  readonly sark: bigint;
  readonly aptpl: boolean;
  readonly unreg: boolean;
}

/** ASC/ASCQ of unit attentions after which registrations or reservation may not be what they were. */
const TELLING_ATTENTIONS: readonly number[] = [0x2a03, 0x2a04, 0x2a05];
const RESET_ASC = 0x29;

/**
 * Folds one PR OUT into what is known. `cdb`: at least 10 bytes of opcode 5Fh. `parameters`: as the client sent them, of
 * any length. Never throws for whatever a client can send.
 */
export function track(before: Tracked, cdb: Uint8Array, parameters: Uint8Array, outcome: Outcome): Step {
  const command = read(cdb, parameters);
  switch (outcome.kind) {
    case "good":
      return command
        ? afterGood(before, command)
        : doubt(before, "a command whose parameter list has no keys ended in GOOD");
    case "conflict":
      return afterConflict(before, command);
    case "unitAttention": {
      const { asc, ascq } = outcome.sense;
      const telling = asc === RESET_ASC || TELLING_ATTENTIONS.includes(asc * 256 + ascq);
      return telling ? doubt(before, "the LUN reported a unit attention that concerns reservations") : same(before);
    }
    case "busy":
    case "refused":
      return same(before);
    case "unknown":
      return doubt(before, `the outcome of a command is unknown (${outcome.why})`);
  }
}

function afterGood(before: Tracked, command: PrOut): Step {
  const { action, type, rk, sark, aptpl } = command;
  switch (action) {
    case PR_OUT_ACTION.register:
    case PR_OUT_ACTION.registerAndIgnore:
      return afterRegister(before, command);
    case PR_OUT_ACTION.reserve:
      // One target (tgt) grants a RESERVE without looking at the key, so a key that is news may be no key at all.
      return before.key === null || before.key === rk
        ? same({ ...before, key: rk, type: knownType(type) })
        : doubt({ ...before, key: null, type: knownType(type) }, `the client reserved under ${formatKey(rk)}`);
    case PR_OUT_ACTION.release: {
      const tracked = { ...before, type: 0 };
      // Some targets answer GOOD to a wrong key when there is nothing to release, so the key proves nothing.
      return before.key === null ? doubt(tracked, "the key is not known") : same(tracked);
    }
    case PR_OUT_ACTION.clear:
      return same({ ...before, key: 0n, type: 0 });
    case PR_OUT_ACTION.preempt:
    case PR_OUT_ACTION.preemptAndAbort:
      // With its own key the client may have removed its own registration: that is so unless it held the reservation.
      return sark === rk
        ? doubt({ ...before, key: null, type: null }, "a client preempted its own key")
        : doubt({ ...before, key: rk, type: null }, "PREEMPT does not say whether the reservation went over");
    case PR_OUT_ACTION.registerAndMove: {
      const tracked = { key: command.unreg ? 0n : rk, type: 0, aptpl };
      return doubt(tracked, "some targets answer GOOD to REGISTER AND MOVE without moving anything");
    }
    case PR_OUT_ACTION.replaceLost:
      return same({ key: sark, type: knownType(type), aptpl });
    default:
      return doubt(before, "a service action that has no name ended in GOOD");
  }
}

function afterRegister(before: Tracked, { action, rk, sark, aptpl }: PrOut): Step {
  if (sark === 0n) return same({ key: 0n, type: 0, aptpl });
  const named = action === PR_OUT_ACTION.register;
  const wasRegistered = named ? rk !== 0n : before.key === null ? null : before.key !== 0n;
  const tracked = { key: sark, type: before.type, aptpl };
  if (wasRegistered === false) {
    const why = "a new registrant holds at once if all registrants hold";
    return { tracked: { ...tracked, type: 0 }, ask: { when: "later", why } };
  }
  // The reservation goes with the registration, so what was known of it stays known, if it was known of this key.
  if (before.type === null || wasRegistered === null) {
    return doubt({ ...tracked, type: null }, "a registration from before it was tracked got a new key");
  }
  return named && rk !== before.key
    ? doubt({ ...tracked, type: null }, `the client was registered under ${formatKey(rk)}, which is news`)
    : same(tracked);
}

/** A conflict changes nothing, but it contradicts what is known if the client used the key it is believed to have. */
function afterConflict(before: Tracked, command: PrOut | null): Step {
  if (!command) return same(before);
  if (before.key === null) return doubt(before, "a conflict, and the key is not known");
  const keyMatters = command.action !== PR_OUT_ACTION.registerAndIgnore;
  return keyMatters && command.rk !== before.key
    ? same(before)
    : doubt(before, "a RESERVATION CONFLICT although the key is the one that is registered");
}

function read(cdb: Uint8Array, parameters: Uint8Array): PrOut | null {
  if (parameters.length < 16) return null;
  const list = new BeReader(parameters);
  const action = cdb[1]! & 0x1f;
  const flags = parameters[action === PR_OUT_ACTION.registerAndMove ? 17 : 20] ?? 0;
  return {
    action,
    type: cdb[2]! & 0x0f,
    rk: list.u64(0, "RESERVATION KEY"),
    sark: list.u64(8, "SERVICE ACTION RESERVATION KEY"),
    aptpl: (flags & 0x01) !== 0,
    unreg: (flags & 0x02) !== 0,
  };
}

/** A target that grants a type that does not exist has told nothing. */
function knownType(type: number): number | null {
  return isPrType(type) ? type : null;
}

function same(tracked: Tracked): Step {
  return tracked.type === null || tracked.key === null
    ? doubt(tracked, "it is not known what the client holds")
    : { tracked, ask: null };
}

function doubt(tracked: Tracked, why: string): Step {
  return { tracked, ask: { when: "now", why } };
}
