/**
 * The LUNs' part of a guest's migration: a hand-over that is prepared, held, and then taken, called off, or taken back.
 *
 *   prepared -> take -> settle          the guest runs at the destination
 *        \        \-> giveBack          it was taken, and the guest will not run there
 *         \-> callOff                   the guest stays
 *
 * The hand-over itself is start.ts's; this only decides when it may go on.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import type { PrType } from "../../pr/types.ts";
import { goBack } from "../go_back.ts";
import { isSourceIntact } from "../picture.ts";
import type { Lun } from "../lun.ts";
import type { Ports } from "../ports.ts";
import { TurnBack } from "../reasons.ts";
import { reportSource } from "../report.ts";
import { type Ending, type Leg, lookAtAll, type Run } from "../run.ts";
import { type HandedOver, type SourceOptions, startSource } from "../start.ts";
import { goForward, NoWayBack } from "./forward.ts";
import { HeldLink } from "./held_link.ts";

/**
 * Where the LUNs are, by their own word: all with the source as before; not any more with either of the two, which is what
 * fencing looks like; or anything else, a LUN that cannot be read among it.
 */
export type Whereabouts = "back" | "fenced" | "elsewhere";

/** What a guest's migration needs of its LUNs. */
export interface LunMove {
  /** Resolves when the destination is registered everywhere. Rejects with PrmigError, the LUNs as before. */
  readonly prepared: Promise<void>;
  /** Resolves with what is wrong with the prepared hand-over. */
  readonly trouble: Promise<string>;
  /** Types of what is moved, as of now: the guest may change them while it runs. */
  types(): readonly (PrType | 0)[];
  /** Commit, take, verify. Rejects with PrmigError, the LUNs as before or not known. The guest must stand still. */
  take(): Promise<void>;
  /**
   * As `take`, for a guest that runs at the destination already: what stands in the way is not undone but overcome.
   * Rejects with PrmigError `unsure` when the destination does not take.
   */
  takeForGood(): Promise<void>;
  /** The guest runs at the destination: lets it settle. Rejects with PrmigError. */
  settle(): Promise<HandedOver | null>;
  /** Before `take`, or after it was rejected. Gives the report of the hand-over, with what is true of the LUNs. */
  callOff(reason: TurnBack): Promise<PrmigError | null>;
  /** After `take`. Likewise. */
  giveBack(reason: TurnBack): Promise<PrmigError | null>;
  /** Reads the LUNs: a guest resumes on the source only where they are `back`, whatever a report says. Never rejects. */
  whereabouts(): Promise<Whereabouts>;
}

/** A guest without anything to move. */
export const NOTHING_TO_MOVE: LunMove = {
  prepared: Promise.resolve(),
  trouble: new Promise(() => {}),
  types: () => [],
  take: () => Promise.resolve(),
  takeForGood: () => Promise.resolve(),
  settle: () => Promise.resolve(null),
  callOff: () => Promise.resolve(null),
  giveBack: () => Promise.resolve(null),
  whereabouts: () => Promise.resolve("back"),
};

/** What a hand-over inside a migration needs. */
export type LunMoveOptions = Omit<SourceOptions, "gate" | "onOffered">;

/** Offers the LUNs; go on when {@link LunMove.prepared} resolves. */
export function startLunMove(luns: readonly Lun[], ports: Ports, options: LunMoveOptions): LunMove {
  const link = new HeldLink(ports.link, ports.clock);
  const prepared = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => undefined); // it may be called off while nobody holds the gate any more
  let preparing = true;
  let forGood = false;
  let legs: readonly Leg[] = [];
  const wholeRun = (): Run => {
    const { handOver, timeoutMs, windowMs = timeoutMs } = options;
    return { handOver, role: "source", method: "token", legs, ports, windowMs, timeoutMs, committed: true };
  };
  // A hand-over writes down that it goes back before it does anything of the kind: here it can be kept from it.
  const journal: Ports["journal"] = {
    write: (entry) =>
      forGood && entry.phase === "aborting" ? Promise.reject(new NoWayBack()) : ports.journal.write(entry),
  };
  // Once the guest's migration runs, an interrupt is for the migration to answer: it is cancelled before anything here is.
  const held: Ports = { ...ports, link, journal, interrupted: () => preparing && ports.interrupted() };
  const handedOver = startSource(luns, held, {
    ...options,
    onOffered: (offered) => legs = offered,
    gate: () => {
      preparing = false;
      link.guard();
      prepared.resolve();
      return opened.promise;
    },
  });
  handedOver.catch((error) => prepared.reject(error));
  prepared.promise.catch(() => undefined);
  const failed = handedOver.then(() => new Promise<never>(() => {}), wordsOf);
  const take = async (): Promise<void> => {
    link.unguard(true);
    opened.resolve();
    await Promise.race([link.taken, handedOver]);
  };
  let forward: Ending | null = null;
  return {
    prepared: prepared.promise,
    trouble: Promise.race([link.trouble, failed]),
    types: () => legs.map(({ offer }) => offer.type),
    take,
    takeForGood: async () => {
      forGood = true;
      try {
        await take();
      } catch (error) {
        if (!(error instanceof NoWayBack)) throw error;
        forward = await goForward(wholeRun());
      }
    },
    settle: async () => {
      link.release(true);
      if (forward === null) return await handedOver;
      await ports.link.send({ record: "verified" });
      return { legs, ending: forward };
    },
    callOff: async (reason) => {
      link.unguard(false);
      opened.reject(reason);
      return await reportOf(handedOver);
    },
    giveBack: async (reason) => {
      link.release(false);
      await handedOver;
      const run = wholeRun();
      return await reportOf(goBack(run, reason, { evenIfTaken: true }).then((end) => reportSource(run, reason, end)));
    },
    whereabouts: () => whereaboutsOf(wholeRun()),
  };
}

async function whereaboutsOf(run: Run): Promise<Whereabouts> {
  try {
    const pictures = await lookAtAll(run);
    if (pictures.every(isSourceIntact)) return "back";
    const ofNeither = pictures.some(({ source, destination }) =>
      source.under === "gone" && destination.under === "gone"
    );
    return ofNeither ? "fenced" : "elsewhere";
  } catch (error) {
    if (error instanceof PrmigError) return "elsewhere";
    throw error;
  }
}

/** The error a hand-over ends with, which it surely does. */
async function reportOf(ending: Promise<unknown>): Promise<PrmigError> {
  try {
    await ending;
  } catch (error) {
    if (error instanceof PrmigError) return error;
    throw error;
  }
  throw new TypeError("a hand-over that was called off has ended well");
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
