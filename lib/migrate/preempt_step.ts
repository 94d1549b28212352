/**
 * The single step `prmig preempt`: may key K be preempted by our own registration, and did it happen?
 *
 * Pure: states and facts in, a plan, a verdict or a refusal out. preempt.ts sends the command between the two.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { describeTransportId, describeType } from "../pr/describe.ts";
import { formatKey, type PrState, type PrType, prTypeInfo, type Registration } from "../pr/types.ts";

/** What the operator asks for. */
export interface PreemptRequest {
  readonly device: string;
  /** The key to remove. */
  readonly key: bigint;
  /** The type the reservation gets if K holds it. */
  readonly type: PrType;
  /** Our own key, where the host cannot tell; null otherwise. */
  readonly ownKey: bigint | null;
}

/** A PREEMPT that makes sense. */
export interface PreemptPlan {
  /** RESERVATION KEY: ours. */
  readonly rk: bigint;
  /** SERVICE ACTION RESERVATION KEY: the one to remove. */
  readonly sark: bigint;
  readonly type: PrType;
  /** Registrations that will go. */
  readonly victims: number;
  /** K holds a reservation that one nexus holds, which then becomes ours. */
  readonly takesReservation: boolean;
}

/** One verdict of `isOwn` a registration, in the order of the state. */
export type Ownership = readonly (boolean | null)[];

/** Checks the request against the LUN. Throws PrmigError `refused`, which says what was found. */
export function planPreempt(request: PreemptRequest, state: PrState, ownership: Ownership): PreemptPlan {
  const rk = findOwnKey(request, state, ownership);
  const { key, type } = request;
  if (key === rk) {
    throw refused(
      request,
      state,
      `${
        formatKey(key)
      } is the key of this nexus itself, and preempting one's own key may remove one's own registration`,
      "name the key of the nexus to remove",
    );
  }
  const victims = state.registrations.filter((r) => r.key === key);
  if (victims.length === 0) {
    throw refused(request, state, `nobody is registered under ${formatKey(key)}`, `prmig dump ${request.device}`);
  }
  return { rk, sark: key, type, victims: victims.length, takesReservation: holdsAlone(state, victims) };
}

/** Our key: as the host recognises our registration, or as the operator says where it cannot. */
function findOwnKey(request: PreemptRequest, state: PrState, ownership: Ownership): bigint {
  const { device, ownKey } = request;
  const mine = new Set(state.registrations.filter((_, i) => ownership[i] === true).map(({ key }) => key));
  const [found] = mine;
  if (mine.size === 1 && found !== undefined) {
    if (ownKey === null || ownKey === found) return found;
    const reason = `this nexus is registered under ${formatKey(found)}, not under ${formatKey(ownKey)}`;
    throw refused(request, state, reason, `leave out --own-key, or look: prmig dump ${device}`);
  }
  if (ownership.every((own) => own === false)) {
    const reason = "this nexus is not registered, and only a registered nexus may preempt";
    throw refused(request, state, reason, `register it first: sg_persist --out --register --param-sark=KEY ${device}`);
  }
  if (ownKey === null) {
    const reason = "this host cannot tell which registration is its own";
    throw refused(request, state, reason, "say it with --own-key KEY");
  }
  if (state.registrations.some((r, i) => r.key === ownKey && ownership[i] !== false)) return ownKey;
  const reason = `no registration under ${formatKey(ownKey)} can be that of this nexus`;
  throw refused(request, state, reason, `prmig dump ${device}`);
}

/** Types 1 to 6: one nexus holds. Under types 7 and 8 everybody holds, and goes on holding. */
function holdsAlone({ reservation }: PrState, registrations: readonly Registration[]): boolean {
  if (reservation === null || prTypeInfo(reservation.type)?.allRegistrants) return false;
  return registrations.some(({ holder }) => holder);
}

/** Whether a state shows that the PREEMPT was carried out, and nothing has undone it since. */
export function isPreempted(plan: PreemptPlan, { reservation, registrations }: PrState): boolean {
  if (registrations.some(({ key }) => key === plan.sark)) return false;
  if (!plan.takesReservation) return true;
  if (reservation?.type !== plan.type) return false;
  return prTypeInfo(plan.type)!.allRegistrants || reservation.key === plan.rk;
}

/** A LUN in one sentence: what is reserved, by whom, and who is registered. */
export function stateInWords({ reservation, registrations }: PrState): string {
  const who = registrations.map((r) =>
    `${formatKey(r.key)}${r.transportId ? ` (${describeTransportId(r.transportId)})` : ""}`
  );
  const registered = who.length === 0 ? "nobody is registered" : `registered: ${who.join(", ")}`;
  if (reservation === null) return `no reservation; ${registered}`;
  const holder = prTypeInfo(reservation.type)?.allRegistrants ? "all registrants" : formatKey(reservation.key);
  return `${describeType(reservation.type)} held by ${holder}; ${registered}`;
}

function refused({ device, key }: PreemptRequest, state: PrState, reason: string, remedy: string): PrmigError {
  return new PrmigError("refused", {
    message: `Cannot preempt ${formatKey(key)} on ${device}: ${reason}`,
    device,
    lun: `unchanged: ${stateInWords(state)}`,
    remedy,
  });
}
