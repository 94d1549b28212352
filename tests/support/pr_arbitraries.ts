/**
 * Everything the codecs of persistent reservations can say, for properties.
 *
 * @module
 */
import fc from "fast-check";
import { PR_OUT_ACTION } from "../../lib/pr/cdb.ts";
import type { Capabilities } from "../../lib/pr/capabilities.ts";
import type { FullStatusEntry } from "../../lib/pr/full_status.ts";
import type { PrOutRequest } from "../../lib/pr/commands.ts";
import type { TransportId } from "../../lib/pr/transport_id.ts";
import { PR_TYPES, type Reservation } from "../../lib/pr/types.ts";

/** A record with the prototype of plain objects, as decoders make them. */
export function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

export const u8 = fc.integer({ min: 0, max: 0xff });
export const u16 = fc.integer({ min: 0, max: 0xffff });
export const u32 = fc.integer({ min: 0, max: 0xffffffff });
const nibble = fc.integer({ min: 0, max: 0xf });

/** Any key, the edges more often than chance would have them. */
export const key: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(0n, 1n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn),
  fc.tuple(u32, u32).map(([high, low]) => (BigInt(high) << 32n) | BigInt(low)),
);

function hex(bytes: number): fc.Arbitrary<string> {
  const digits = fc.bigInt({ min: 0n, max: (1n << BigInt(8 * bytes)) - 1n });
  return digits.map((n) => n.toString(16).padStart(2 * bytes, "0"));
}

/** Characters an iSCSI name may be made of, beyond ASCII too, but none that would end it or drive a terminal. */
const nameText = fc.array(fc.constantFrom(..."abcxyz019.:-_ABCé漢😀"), { minLength: 1, maxLength: 60 })
  .map((characters) => characters.join(""));
const isid = fc.integer({ min: 0, max: 0xffff_ffff_ffff }).map((n) => n.toString(16).padStart(12, "0"));

/** Protocol identifiers without a TransportID of their own. */
const FOREIGN = [0x2, 0x7, 0x8, 0x9, 0xb, 0xc, 0xd, 0xe, 0xf];

/** Any initiator port; unknown ones of the 24 bytes every foreign protocol has. */
export const transportId: fc.Arbitrary<TransportId> = fc.oneof(
  hex(8).map((address) => ({ protocol: "fc", address }) as const),
  hex(8).map((address) => ({ protocol: "sas", address }) as const),
  hex(8).map((address) => ({ protocol: "sbp", address }) as const),
  hex(16).map((address) => ({ protocol: "srp", address }) as const),
  hex(2).map((address) => ({ protocol: "sop", address }) as const),
  fc.tuple(u16, u16).map(([target, port]) => ({ protocol: "spi", address: `${target},${port}` }) as const),
  nameText.map((address) => ({ protocol: "iscsi", address }) as const),
  fc.tuple(nameText, isid).map(([name, id]) => ({ protocol: "iscsi", address: `${name},i,0x${id}` }) as const),
  fc.tuple(fc.constantFrom(...FOREIGN), hex(23))
    .map(([code, rest]) => ({ protocol: "unknown", address: `0${code.toString(16)}${rest}` }) as const),
);

/** Any reservation, of any type code a device may show. */
export const reservation: fc.Arbitrary<Reservation> = record({ key, type: nibble, scope: nibble });

/** Any descriptor of READ FULL STATUS. */
export const fullStatusEntry: fc.Arbitrary<FullStatusEntry> = record({
  key,
  held: fc.option(record({ scope: nibble, type: nibble })),
  relativeTargetPort: fc.oneof(u16, fc.constant("all" as const)),
  transportId,
}).map((entry) => ({ ...entry, holder: entry.held !== null }));

/** Any capabilities; without a valid mask every type counts as possible. */
export const capabilities: fc.Arbitrary<Capabilities> = record({
  ptplCapable: fc.boolean(),
  ptplActive: fc.boolean(),
  allTargetPorts: fc.boolean(),
  specifyInitiatorPorts: fc.boolean(),
  types: fc.subarray(PR_TYPES.map(({ type }) => type)),
  replaceLost: fc.boolean(),
  compatibleReservationHandling: fc.boolean(),
  allowCommands: fc.integer({ min: 0, max: 7 }),
  typeMaskValid: fc.boolean(),
}).map((c) => c.typeMaskValid ? c : { ...c, types: PR_TYPES.map(({ type }) => type) });

/** Any PERSISTENT RESERVE OUT that can be asked for in words, every field given. */
export const prOutRequest: fc.Arbitrary<PrOutRequest> = fc.oneof(
  record({
    action: fc.constantFrom(
      ...(Object.keys(PR_OUT_ACTION) as PrOutRequest["action"][]).filter((name) => name !== "registerAndMove"),
    ),
    rk: key,
    sark: key,
    scope: nibble,
    type: nibble,
    aptpl: fc.boolean(),
    allTgPt: fc.boolean(),
    specIPt: fc.option(fc.array(transportId, { maxLength: 3 }), { freq: 4 }),
  }).map((request) => request as PrOutRequest),
  record({
    action: fc.constant("registerAndMove" as const),
    rk: key,
    sark: key,
    scope: nibble,
    type: nibble,
    aptpl: fc.boolean(),
    unreg: fc.boolean(),
    relativeTargetPort: u16,
    transportId,
  }),
);
