import assert from "node:assert/strict";
import type { Tracked } from "../../../lib/pr/tracker.ts";
import { UNKNOWN_CLIENT } from "../../../lib/pr/tracker.ts";
import { observe, type OwnPort, UNKNOWN_PORT } from "../../../lib/pr/tracker_observe.ts";
import type { TransportId } from "../../../lib/pr/transport_id.ts";
import type { PrState, Registration } from "../../../lib/pr/types.ts";

const K = 0xbeefn, L = 0xcafen;
const ME: TransportId = { protocol: "sas", address: "600140000000aaaa" };
const OTHER: TransportId = { protocol: "sas", address: "600140000000bbbb" };
const PORT: OwnPort = { initiator: { transportId: ME, match: "exact" }, relativeTargetPort: 1 };
const PORTLESS: OwnPort = { ...PORT, relativeTargetPort: null };
const HOLDER: Tracked = { key: K, type: 5, aptpl: true };

function registered(
  transportId: TransportId | null,
  key: bigint,
  holder = false,
  port: number | null = 1,
): Registration {
  return { key, holder, relativeTargetPort: port, transportId };
}

function lun(reservation: [key: bigint, type: number] | null, ...registrations: Registration[]): PrState {
  return {
    generation: 1,
    registrations,
    reservation: reservation && { key: reservation[0], type: reservation[1], scope: 0 },
  };
}

type Row = [string, Tracked, PrState, OwnPort, key: bigint | null, type: number | null, open: boolean];
const ROWS: Row[] = [
  ["nobody is registered", HOLDER, lun(null), UNKNOWN_PORT, 0n, 0, false],
  ["we hold", UNKNOWN_CLIENT, lun([K, 5], registered(ME, K, true)), PORT, K, 5, false],
  [
    "we are registered, somebody else holds",
    UNKNOWN_CLIENT,
    lun([L, 5], registered(OTHER, L, true), registered(ME, K)),
    PORT,
    K,
    0,
    false,
  ],
  [
    "all registrants hold, key 0 shown",
    UNKNOWN_CLIENT,
    lun([0n, 7], registered(OTHER, L, true), registered(ME, K, true)),
    PORT,
    K,
    7,
    false,
  ],
  ["only others are registered", HOLDER, lun([L, 5], registered(OTHER, L, true)), PORT, 0n, 0, false],
  [
    "our key is shared, the other one holds",
    HOLDER,
    lun([K, 5], registered(OTHER, K, true), registered(ME, K)),
    PORT,
    K,
    0,
    false,
  ],
  ["our initiator through another target port", HOLDER, lun([K, 5], registered(ME, K, true, 2)), PORT, 0n, 0, false],
  [
    "port not known, one candidate with our key",
    HOLDER,
    lun([K, 5], registered(ME, K, true), registered(ME, L, false, 2)),
    PORTLESS,
    K,
    5,
    false,
  ],
  [
    "host reveals nothing, key unique",
    HOLDER,
    lun([K, 5], registered(OTHER, L), registered(ME, K, true)),
    UNKNOWN_PORT,
    K,
    5,
    false,
  ],
  ["host reveals nothing, key gone", HOLDER, lun([L, 5], registered(OTHER, L, true)), UNKNOWN_PORT, 0n, 0, false],
  [
    "host reveals nothing, key shared, one of them holds",
    HOLDER,
    lun([K, 5], registered(OTHER, K, true), registered(ME, K)),
    UNKNOWN_PORT,
    K,
    null,
    true,
  ],
  [
    "host reveals nothing, key shared, all registrants",
    HOLDER,
    lun([0n, 8], registered(OTHER, K, true), registered(ME, K, true)),
    UNKNOWN_PORT,
    K,
    8,
    false,
  ],
  [
    "host reveals nothing, key not known",
    UNKNOWN_CLIENT,
    lun([K, 5], registered(OTHER, K, true)),
    UNKNOWN_PORT,
    null,
    null,
    true,
  ],
  [
    "a stranger who cannot tell stays a stranger",
    { key: 0n, type: 0, aptpl: null },
    lun([L, 5], registered(OTHER, L, true)),
    UNKNOWN_PORT,
    0n,
    0,
    true,
  ],
  ["device without TransportIDs", HOLDER, lun([K, 5], registered(null, K, true, null)), PORT, K, 5, false],
];
for (const [name, before, seen, port, key, type, open] of ROWS) {
  Deno.test(`observe(): ${name}`, () => {
    const said = observe(before, seen, port);
    assert.deepEqual([said.tracked.key, said.tracked.type, said.open !== null], [key, type, open]);
    assert.equal(said.tracked.aptpl, before.aptpl);
  });
}
