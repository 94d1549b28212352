/**
 * Whose the guest's key is, on a target that hides who is who (no READ FULL STATUS).
 *
 * Until the source has committed, what the bystanders leave over of the key K is the source's. Afterwards K may as well be
 * the destination's, which has taken and settled: seen on tgt, whose READ KEYS shows the same for both. So whoever may have
 * changed its key asks the LUN through its own nexus: REGISTER RK = SARK = K, PTPL_A kept. It succeeds for the nexus that
 * stands under K, changes nothing but PRGENERATION, and ends in RESERVATION CONFLICT for everybody else.
 *
 * The answer holds for the PRGENERATION that it was got at: nobody registers, or is preempted, without counting it up.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { prOut } from "../pr/commands.ts";
import { formatKey, type PrState } from "../pr/types.ts";
import { classify, describeOutcome, type Outcome } from "../scsi/outcome.ts";
import { type Lun, observe, type Path } from "./lun.ts";
import { namesAreKnown, type Offer } from "./offer.ts";
import { type KeyIsOf, leftUnderKey } from "./picture.ts";
import type { Clock } from "./ports.ts";

/** What was found out, and when. */
export interface KeyProof {
  readonly generation: number;
  readonly keyIsOf: KeyIsOf;
}

/** The side that asks: of a Run. */
export interface Asker {
  readonly role: "source" | "destination";
  readonly committed: boolean;
  readonly ports: { readonly clock: Clock };
}

/** The LUN that is asked: of a Leg. */
export interface Asked {
  readonly lun: Lun;
  readonly offer: Offer;
  readonly own: readonly { readonly path: Path }[];
  keyProof?: KeyProof;
}

const TRIES = 5;
const PAUSE_MS = 100;

/** Reads registrations and reservation and, where the guest's key is anybody's, finds out whose it is. */
export async function observeWithProof(run: Asker, leg: Asked): Promise<PrState> {
  let answer = "";
  for (let left = TRIES; left > 0; left--) {
    const before = await observe(leg.lun);
    if (!isInQuestion(run, leg, before) || leg.keyProof?.generation === before.generation) return before;
    const outcome = await registerAgain(leg);
    answer = describeOutcome(outcome);
    if (outcome.kind === "good" || outcome.kind === "conflict") {
      const ours = outcome.kind === "good";
      const after = await observe(leg.lun);
      const steps = (after.generation - before.generation) >>> 0;
      // Somebody else came in between: what was found may be over.
      if (steps > (ours ? 1 : 0)) continue;
      leg.keyProof = {
        generation: after.generation,
        keyIsOf: ours === (run.role === "source") ? "source" : "destination",
      };
      return after;
    }
    await run.ports.clock.sleep(PAUSE_MS);
  }
  throw new PrmigError("unsure", {
    message: `Cannot tell whose key ${formatKey(leg.offer.key)} is on ${leg.lun.device}`,
    device: leg.lun.device,
    command: `PERSISTENT RESERVE OUT, REGISTER ${formatKey(leg.offer.key)} again`,
    status: answer,
    lun: "not known in full: the target does not say who is who; a key was registered over itself at most",
    remedy: "prmig recover",
  });
}

/** Whose the key is in a state that {@link observeWithProof} has given. */
export function keyIsOf({ keyProof }: Pick<Asked, "keyProof">, { generation }: PrState): KeyIsOf {
  return keyProof?.generation === generation ? keyProof.keyIsOf : "source";
}

/** A side that is seen under its one-time key is not under the guest's; one that never changed its key is where it was. */
function isInQuestion({ role, committed }: Asker, { offer }: Asked, state: PrState): boolean {
  if (!committed || namesAreKnown(offer) || leftUnderKey(offer, state).length === 0) return false;
  const token = role === "source" ? offer.commitToken : offer.destinationToken;
  return !state.registrations.some((r) => r.key === token);
}

async function registerAgain({ own, offer: { key, ptplActive: aptpl } }: Asked): Promise<Outcome> {
  try {
    return classify(await prOut(own[0]!.path.nexus, { action: "register", rk: key, sark: key, aptpl }));
  } catch (error) {
    // A system call that failed says nothing; should the command come late, it still changes nothing.
    if (error instanceof PrmigError) return { kind: "unknown", why: error.message, sense: null };
    throw error;
  }
}
