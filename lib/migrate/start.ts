/**
 * Where each side of a hand-over begins: LUNs and a stream in, an ending out.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { type Gate, runSource } from "./source.ts";
import { runDestination } from "./destination.ts";
import { goBack } from "./go_back.ts";
import { Lease } from "./lease.ts";
import type { Lun } from "./lun.ts";
import { makeOffer } from "./make_offer.ts";
import type { Method } from "./messages.ts";
import { hasOneHolder, type Offer } from "./offer.ts";
import type { Ports } from "./ports.ts";
import { TurnBack } from "./reasons.ts";
import { type Ending, type Leg, pathsIn, type Run, takesUnasked, writeDown } from "./run.ts";
import { badStream, encodeOfferStream, type OfferStream } from "./stream.ts";
import { reportSource } from "./report.ts";

/** A hand-over that succeeded. */
export interface HandedOver {
  readonly legs: readonly Leg[];
  readonly ending: Ending;
}

/** What a source needs besides its LUNs and ports. */
export interface SourceOptions {
  /** Name of the hand-over: a UUID. */
  readonly handOver: string;
  /** The guest's key, as the caller believes it. */
  readonly key?: bigint;
  /** Bounds every wait; also the window in which the source commits, unless that is given. */
  readonly timeoutMs: number;
  /** How long the destination stays for a source that has gone silent, and may yet commit. */
  readonly windowMs?: number;
  /** `token` unless the other side cannot follow it. */
  readonly method?: Method;
  /** Puts the offer on its way. */
  readonly writeOffer: (bytes: Uint8Array) => Promise<void>;
  /** Holds the prepared hand-over until the moment of the switch. */
  readonly gate?: Gate;
  /** Told the LUNs with their offers before anything is sent; their offers follow the guest's changes. */
  readonly onOffered?: (legs: readonly Leg[]) => void;
}

/** Offers the LUNs and hands them over. Errors: see {@link runSource}. */
export async function startSource(luns: readonly Lun[], ports: Ports, options: SourceOptions): Promise<HandedOver> {
  const { handOver, timeoutMs, windowMs = timeoutMs, method = "token" } = options;
  refuseTwice(luns);
  const legs: Leg[] = [];
  // One after the other: to find its own key a source may have to send PR OUTs, and a person reads the first error.
  for (const lun of luns) legs.push(await makeOffer(lun, { key: options.key, random: ports.random }));
  options.onOffered?.(legs);
  if (method === "plain") legs.forEach(refuseUnlessPlain);
  const committed = takesUnasked({ method, ports });
  const run: Run = { handOver, role: "source", method, legs, ports, windowMs, timeoutMs, committed };
  const signals = ports.link.duplex ? "stream" : "lun";
  const offers = legs.map((leg) => leg.offer);
  const bytes = await encodeOfferStream({
    hello: { record: "hello", prmig: 1, handOver, signals, method, windowMs },
    offers,
  });
  await writeDown(run, "offered");
  const lease = new Lease(windowMs, ports.clock.now());
  try {
    await options.writeOffer(bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const reason = new TurnBack("link", `the offer could not be sent: ${why}`, { cause: error });
    // Whoever reads the pipe may have got all of it, and be on its way.
    return reportSource(run, reason, await goBack(run, reason));
  }
  return { legs, ending: await runSource(run, lease, options.gate) };
}

/** What a destination needs besides the stream and its ports. */
export interface DestinationOptions {
  readonly timeoutMs: number;
  /** The device of an offered LUN on this host. Throws PrmigError when there is none. */
  readonly find: (offer: Offer) => Promise<Lun>;
}

/** Finds the LUNs of a validated offer. Throws PrmigError `refused` when one is not the LUN that was offered. */
export async function findLegs(offers: readonly Offer[], find: DestinationOptions["find"]): Promise<Leg[]> {
  const legs: Leg[] = [];
  for (const offer of offers) {
    const lun = await find(offer);
    if (lun.designator !== offer.designator) throw otherLun(lun, offer);
    const own = pathsIn(offer, lun);
    if (own.length > 1 && own.some(({ name }) => name === null)) throw unknownPaths(lun);
    legs.push({ lun, own, offer });
  }
  return legs;
}

/** Takes over the LUNs of a validated offer. Errors: see {@link runDestination}. */
export async function startDestination(
  stream: OfferStream,
  ports: Ports,
  options: DestinationOptions,
): Promise<HandedOver> {
  const { handOver, signals, method, windowMs } = stream.hello;
  if ((signals === "stream") !== ports.link.duplex) {
    throw badStream(
      signals === "stream"
        ? "the source expects answers, but this pipe runs one way"
        : "the source listens to no answers",
    );
  }
  const { timeoutMs, find } = options;
  let legs: Leg[];
  try {
    legs = await findLegs(stream.offers, find);
  } catch (error) {
    await ports.link.send({ record: "refused", reason: error instanceof Error ? error.message : String(error) });
    throw error;
  }
  if (method === "plain") legs.forEach(refuseUnlessPlain);
  const run: Run = { handOver, role: "destination", method, legs, ports, windowMs, timeoutMs, committed: false };
  return { legs, ending: await runDestination(run) };
}

function refuseTwice(luns: readonly Lun[]): void {
  const seen = new Map<string, string>();
  for (const { designator, device } of luns) {
    const before = seen.get(designator);
    if (before === undefined) {
      seen.set(designator, device);
      continue;
    }
    throw new PrmigError("usage", {
      message: `${before} and ${device} are the same LUN (${designator})`,
      device,
      lun: "unchanged: nothing was sent",
      remedy: "name each LUN once; name its multipath device to use all of its paths",
    });
  }
}

/** Elsewhere preempting one's own key removes the sender's registration too, or one that is nobody's business. */
function refuseUnlessPlain({ lun, offer }: Leg): void {
  if (hasOneHolder(offer) && offer.destinationToken === null) return;
  const why = hasOneHolder(offer)
    ? "its key is not the source's alone, or the target does not say whose it is"
    : offer.type === 0
    ? "the source holds no reservation"
    : "every registrant holds its reservation";
  throw new PrmigError("refused", {
    message: `Cannot move ${lun.device} by the plain method: ${why}`,
    device: lun.device,
    lun: "unchanged: no PERSISTENT RESERVE OUT was sent",
    remedy: "use prmig on both sides, and its own method: leave out --method plain",
  });
}

function otherLun(lun: Lun, offer: Offer): PrmigError {
  return new PrmigError("refused", {
    message: `${lun.device} is ${lun.designator}, but the source offers ${offer.designator}`,
    device: lun.device,
    lun: "unchanged: nothing was sent",
    remedy: "leave out the device to have the LUN found, or name the device of the same LUN",
  });
}

function unknownPaths(lun: Lun): PrmigError {
  return new PrmigError("refused", {
    message:
      `Cannot tell the ${lun.paths.length} paths of ${lun.device} apart: this host or the target does not reveal initiator ports`,
    device: lun.device,
    lun: "unchanged: nothing was sent",
    remedy: "name a single path",
  });
}
