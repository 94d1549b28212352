/**
 * What happened between two looks at a LUN: registrations and reservation before against after, and who did it to whom.
 *
 * Pure. What is certain is told apart from what only fits: a registration that is gone may have left by itself, been
 * preempted, or been cleared; without the command that did it, only a reservation that moved proves a PREEMPT.
 *
 * @module
 */
import { PR_OUT_ACTION } from "./cdb.ts";
import { describeTransportId } from "./describe.ts";
import { formatKey, type PrState, prTypeInfo, type Registration } from "./types.ts";

/** A PERSISTENT RESERVE OUT known to have succeeded between the two looks. */
export interface Cause {
  /** Service action code. */
  readonly action: number;
  /** RESERVATION KEY as sent. */
  readonly rk: bigint;
  /** SERVICE ACTION RESERVATION KEY as sent. */
  readonly sark: bigint;
}

/** How a registration went away. `by`: key of who did it. */
export type Removal =
  | { readonly kind: "preempted"; readonly by: bigint }
  | { readonly kind: "cleared"; readonly by: bigint | null }
  | { readonly kind: "left" }
  | { readonly kind: "unknown" };

/** A registrant as changes name it: key and initiator (`null`: the device does not tell). */
export interface Party {
  /** Reservation key. */
  readonly key: bigint;
  /** The initiator, as the device names it. */
  readonly who: string | null;
}

/** One difference. */
export type Change =
  | { readonly kind: "registered"; readonly party: Party }
  | { readonly kind: "rekeyed"; readonly party: Party; readonly from: bigint }
  | { readonly kind: "removed"; readonly party: Party; readonly how: Removal }
  | { readonly kind: "reserved"; readonly holder: Party | null; readonly type: number }
  | { readonly kind: "released"; readonly holder: Party | null; readonly type: number }
  | { readonly kind: "taken"; readonly from: Party; readonly to: Party; readonly type: number }
  | { readonly kind: "retyped"; readonly holder: Party | null; readonly from: number; readonly to: number }
  /** Nothing differs but PRGENERATION: something came and went, or was written again as it was. */
  | { readonly kind: "touched"; readonly from: number; readonly to: number };

/**
 * All differences, registrations first. Empty when the LUN is as it was.
 *
 * `causes` in the order in which they were executed; none when nobody saw the commands.
 */
export function diffStates(before: PrState, after: PrState, causes: readonly Cause[] = []): Change[] {
  const { added, removed, rekeyed } = diffRegistrations(before, after);
  const changes: Change[] = [
    ...added.map((registration): Change => ({ kind: "registered", party: partyOf(registration) })),
    ...rekeyed.map(([old, now]): Change => ({ kind: "rekeyed", party: partyOf(now), from: old.key })),
    ...removed.map((gone): Change => ({
      kind: "removed",
      party: partyOf(gone),
      how: removalOf(gone, before, after, causes),
    })),
    ...diffReservation(before, after, rekeyed),
  ];
  if (changes.length === 0 && before.generation !== after.generation) {
    changes.push({ kind: "touched", from: before.generation, to: after.generation });
  }
  return changes;
}

type Pair = readonly [old: Registration, now: Registration];

function diffRegistrations(before: PrState, after: PrState): {
  added: Registration[];
  removed: Registration[];
  rekeyed: Pair[];
} {
  const old = byIdentity(before.registrations), now = byIdentity(after.registrations);
  const rekeyed: Pair[] = [];
  for (const [identity, registration] of now) {
    const was = old.get(identity);
    if (was && was.key !== registration.key) rekeyed.push([was, registration]);
  }
  return {
    added: [...now].filter(([identity]) => !old.has(identity)).map(([, registration]) => registration),
    removed: [...old].filter(([identity]) => !now.has(identity)).map(([, registration]) => registration),
    rekeyed,
  };
}

/** A registrant is its initiator port and target port; where the device names none, its key and how often that came. */
function byIdentity(registrations: readonly Registration[]): Map<string, Registration> {
  const map = new Map<string, Registration>();
  for (const registration of registrations) {
    const { transportId, relativeTargetPort, key } = registration;
    const base = transportId
      ? `${transportId.protocol} ${transportId.address.toLowerCase()} ${relativeTargetPort}`
      : `key ${key}`;
    let identity = base;
    for (let n = 2; map.has(identity); n++) identity = `${base} #${n}`;
    map.set(identity, registration);
  }
  return map;
}

function removalOf(gone: Registration, before: PrState, after: PrState, causes: readonly Cause[]): Removal {
  for (const { action, rk, sark } of causes.toReversed()) {
    const preempts = action === PR_OUT_ACTION.preempt || action === PR_OUT_ACTION.preemptAndAbort;
    // SARK 0 preempts everybody else, against an all-registrants reservation
    if (preempts && (sark === gone.key || (sark === 0n && rk !== gone.key))) return { kind: "preempted", by: rk };
    if (action === PR_OUT_ACTION.clear) return { kind: "cleared", by: rk };
    const registers = action === PR_OUT_ACTION.register || action === PR_OUT_ACTION.registerAndIgnore;
    if (registers && sark === 0n && (rk === gone.key || action === PR_OUT_ACTION.registerAndIgnore)) {
      return { kind: "left" };
    }
  }
  if (causes.length > 0) return { kind: "unknown" };
  const taker = takerOf(before, after);
  if (taker && gone.key === before.reservation?.key) return { kind: "preempted", by: taker.key };
  if (after.registrations.length === 0 && before.registrations.length > 1) return { kind: "cleared", by: null };
  return { kind: "unknown" };
}

/** Who holds now what another held before, when that other is no longer registered: only a PREEMPT does that. */
function takerOf(before: PrState, after: PrState): Registration | null {
  const old = soleHolder(before), now = soleHolder(after);
  if (!old || !now || identityOf(old) === identityOf(now)) return null;
  return after.registrations.some((r) => identityOf(r) === identityOf(old)) ? null : now;
}

function diffReservation(before: PrState, after: PrState, rekeyed: readonly Pair[]): Change[] {
  const old = before.reservation, now = after.reservation;
  if (!old && !now) return [];
  if (!old) return [{ kind: "reserved", holder: holderParty(after), type: now!.type }];
  if (!now) return [{ kind: "released", holder: holderParty(before), type: old.type }];
  const from = holderParty(before), to = holderParty(after);
  if (from && to && !sameHolder(before, after, rekeyed)) return [{ kind: "taken", from, to, type: now.type }];
  if (old.type !== now.type) return [{ kind: "retyped", holder: to, from: old.type, to: now.type }];
  return [];
}

/** A holder that changed its key is the same holder; without names, only the key tells. */
function sameHolder(before: PrState, after: PrState, rekeyed: readonly Pair[]): boolean {
  const old = soleHolder(before), now = soleHolder(after);
  if (!old || !now) return before.reservation?.key === after.reservation?.key;
  return identityOf(old) === identityOf(now) || rekeyed.some(([was, is]) => was === old && is === now);
}

function soleHolder({ reservation, registrations }: PrState): Registration | null {
  if (!reservation || prTypeInfo(reservation.type)?.allRegistrants) return null;
  const holders = registrations.filter(({ holder }) => holder);
  return holders.length === 1 ? holders[0]! : null;
}

/** `null`: every registrant holds. */
function holderParty(state: PrState): Party | null {
  if (!state.reservation || prTypeInfo(state.reservation.type)?.allRegistrants) return null;
  const holder = soleHolder(state);
  return holder ? partyOf(holder) : { key: state.reservation.key, who: null };
}

function identityOf({ transportId, relativeTargetPort, key }: Registration): string {
  return transportId
    ? `${transportId.protocol} ${transportId.address.toLowerCase()} ${relativeTargetPort}`
    : `key ${key}`;
}

function partyOf({ key, transportId }: Registration): Party {
  return { key, who: transportId ? describeTransportId(transportId) : null };
}

/** One change in a sentence without a full stop. */
export function explainChange(change: Change): string {
  switch (change.kind) {
    case "registered":
      return `${party(change.party)} registered`;
    case "rekeyed":
      return `${party(change.party)} changed its key from ${formatKey(change.from)}`;
    case "removed":
      return `${party(change.party)} ${removal(change.how)}`;
    case "reserved":
      return `${change.holder ? party(change.holder) : "every registrant"} holds ${typeName(change.type)}`;
    case "released":
      return `${change.holder ? party(change.holder) : "every registrant"} no longer holds ${typeName(change.type)}: ` +
        "the LUN is not reserved";
    case "taken":
      return `${party(change.to)} took ${typeName(change.type)} from ${party(change.from)}`;
    case "retyped":
      return `the reservation changed from ${typeName(change.from)} to ${typeName(change.to)}`;
    case "touched":
      return `generation ${change.from} became ${change.to}, and nothing else differs`;
  }
}

function removal(how: Removal): string {
  switch (how.kind) {
    case "preempted":
      return `was preempted by ${formatKey(how.by)}`;
    case "cleared":
      return how.by === null
        ? "is gone with everybody else: cleared, most likely"
        : `was cleared by ${formatKey(how.by)}`;
    case "left":
      return "unregistered itself";
    case "unknown":
      return "is no longer registered";
  }
}

function party({ key, who }: Party): string {
  return who === null ? formatKey(key) : `${formatKey(key)} (${who})`;
}

function typeName(type: number): string {
  return prTypeInfo(type)?.short ?? `type ${type}`;
}
