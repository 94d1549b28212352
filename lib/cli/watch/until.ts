/**
 * Conditions a script waits for: `key=K`, `no-holder`, `registrant=TEXT` ..., read, and held against a LUN's state.
 *
 * Pure.
 *
 * @module
 */
import { describeTransportId } from "../../pr/describe.ts";
import { parseKey, PR_TYPES, type PrState, prTypeInfo } from "../../pr/types.ts";

/** One condition, or several that must all hold. */
export interface Condition {
  /** As it was written. */
  readonly text: string;
  readonly holds: (state: PrState) => boolean;
}

/** A condition that cannot be read. The message says what was expected. */
export class BadCondition extends Error {
  override readonly name = "BadCondition";
}

type Maker = (value: string) => Condition["holds"];

const WITH_VALUE: Readonly<Record<string, Maker>> = {
  key: (value) => {
    const key = keyOf(value);
    return ({ registrations }) => registrations.some((r) => r.key === key);
  },
  "no-key": (value) => {
    const key = keyOf(value);
    return ({ registrations }) => !registrations.some((r) => r.key === key);
  },
  holder: (value) => {
    const key = keyOf(value);
    return (state) => holders(state).some((r) => r.key === key) || state.reservation?.key === key;
  },
  "no-holder": (value) => {
    const key = keyOf(value);
    return (state) => !holders(state).some((r) => r.key === key) && state.reservation?.key !== key;
  },
  type: (value) => {
    const type = PR_TYPES.find(({ type, short }) => String(type) === value || short === value.toUpperCase())?.type;
    if (type === undefined) throw new BadCondition(`type=${value}: expected 1, 3, 5, 6, 7, 8, or WE, EA-RO and so on`);
    return ({ reservation }) => reservation?.type === type;
  },
  registrant: (value) => (state) => named(state, value),
  "no-registrant": (value) => (state) => !named(state, value),
};

const ALONE: Readonly<Record<string, Condition["holds"]>> = {
  holder: ({ reservation }) => reservation !== null,
  "no-holder": ({ reservation }) => reservation === null,
  registrant: ({ registrations }) => registrations.length > 0,
  "no-registrant": ({ registrations }) => registrations.length === 0,
};

/** Reads a condition. Throws {@link BadCondition}. */
export function parseCondition(text: string): Condition {
  const terms = text.split(",").map((term) => parseTerm(term.trim()));
  return { text, holds: (state) => terms.every((holds) => holds(state)) };
}

function parseTerm(term: string): Condition["holds"] {
  const equals = term.indexOf("=");
  const name = equals < 0 ? term : term.slice(0, equals);
  const value = equals < 0 ? null : term.slice(equals + 1).trim();
  if (value === null) {
    if (Object.hasOwn(ALONE, name)) return ALONE[name]!;
    if (Object.hasOwn(WITH_VALUE, name)) throw new BadCondition(`${name} needs a value: ${name}=...`);
  } else if (Object.hasOwn(WITH_VALUE, name)) {
    if (value === "") throw new BadCondition(`${name}= needs a value`);
    return WITH_VALUE[name]!(value);
  }
  throw new BadCondition(
    "expected key=K, no-key=K, holder[=K], no-holder[=K], type=T, registrant[=TEXT] or no-registrant[=TEXT]",
  );
}

function keyOf(value: string): bigint {
  const key = parseKey(value);
  if (key === null) throw new BadCondition("expected a reservation key: 1 to 16 hex digits, with or without 0x");
  return key;
}

function holders({ reservation, registrations }: PrState): PrState["registrations"] {
  if (reservation === null) return [];
  return prTypeInfo(reservation.type)?.allRegistrants ? registrations : registrations.filter(({ holder }) => holder);
}

function named({ registrations }: PrState, part: string): boolean {
  const wanted = part.toLowerCase();
  return registrations.some(({ transportId }) =>
    transportId !== null && describeTransportId(transportId).toLowerCase().includes(wanted)
  );
}
