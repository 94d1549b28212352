import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeCapabilities, encodeCapabilities } from "../../lib/pr/capabilities.ts";
import { decodePrCdb, PR_OUT_ACTION, prInCdb } from "../../lib/pr/cdb.ts";
import { prOutCommand } from "../../lib/pr/commands.ts";
import { decodeFullStatus, encodeFullStatus } from "../../lib/pr/full_status.ts";
import { decodePrOut } from "../../lib/pr/pr_out.ts";
import { decodeReadKeys, encodeReadKeys } from "../../lib/pr/read_keys.ts";
import { decodeReadReservation, encodeReadReservation } from "../../lib/pr/read_reservation.ts";
import { decodeTransportId, encodeTransportId, readTransportId } from "../../lib/pr/transport_id.ts";
import { formatKey, parseKey } from "../../lib/pr/types.ts";
import { decodeSense, encodeSense } from "../../lib/scsi/sense.ts";
import { CASES, holds } from "../support/cases.ts";
import {
  capabilities,
  fullStatusEntry,
  key,
  prOutRequest,
  record,
  reservation,
  transportId,
  u16,
  u32,
  u8,
} from "../support/pr_arbitraries.ts";

function property(name: string, run: () => void): void {
  Deno.test(`decode(encode(x)) = x for ${name}, ${CASES} times`, run);
}

property("keys as text", () => holds(key, (k) => assert.equal(parseKey(formatKey(k)), k)));

property("READ KEYS", () =>
  holds(record({ generation: u32, keys: fc.array(key, { maxLength: 5 }) }), (x) => {
    assert.deepEqual(decodeReadKeys(encodeReadKeys(x)), { kind: "complete", ...x });
  }));

property("READ RESERVATION", () =>
  holds(record({ generation: u32, reservation: fc.option(reservation) }), (x) => {
    assert.deepEqual(decodeReadReservation(encodeReadReservation(x)), { kind: "complete", ...x });
  }));

property("REPORT CAPABILITIES", () =>
  holds(capabilities, (x) => {
    assert.deepEqual(decodeCapabilities(encodeCapabilities(x)), { kind: "complete", capabilities: x });
  }));

property(
  "READ FULL STATUS",
  () =>
    holds(record({ generation: u32, registrations: fc.array(fullStatusEntry, { maxLength: 3 }) }), (x) => {
      assert.deepEqual(decodeFullStatus(encodeFullStatus(x)), { kind: "complete", ...x });
    }),
);

property("TransportIDs", () =>
  holds(transportId, (id) => {
    const bytes = encodeTransportId(id);
    assert.ok(bytes.length >= 24 && bytes.length % 4 === 0);
    assert.deepEqual(decodeTransportId(bytes), { id, length: bytes.length });
    assert.deepEqual(readTransportId(bytes), id);
  }));

property(
  "PERSISTENT RESERVE IN command blocks",
  () =>
    holds(fc.tuple(fc.integer({ min: 0, max: 0x1f }), u16), ([action, allocationLength]) => {
      assert.deepEqual(decodePrCdb(prInCdb(action, allocationLength)), { kind: "in", action, allocationLength });
    }),
);

property("PERSISTENT RESERVE OUT commands and parameter lists", () =>
  holds(prOutRequest, (request) => {
    const { cdb, data } = prOutCommand(request);
    const { action, scope, type, ...parameters } = request;
    const code = PR_OUT_ACTION[action];
    assert.deepEqual(decodePrCdb(cdb), { kind: "out", action: code, scope, type, parameterListLength: data.length });
    const kind = action === "registerAndMove" ? "move" : "basic";
    assert.deepEqual(decodePrOut(code, data), { kind, ...parameters });
  }));

property("sense data", () => {
  const pointer = record({
    inCdb: fc.boolean(),
    byte: u16,
    bit: fc.option(fc.integer({ min: 0, max: 7 })),
  });
  const nibble = fc.integer({ min: 0, max: 0xf });
  holds(
    fc.tuple(nibble, u8, u8, fc.constantFrom("fixed" as const, "descriptor" as const), fc.option(pointer)),
    ([key, asc, ascq, format, fieldPointer]) => {
      const sense = { format, deferred: false, key, asc, ascq };
      const wanted = fieldPointer && key === 5 ? { ...sense, fieldPointer } : sense;
      assert.deepEqual(decodeSense(encodeSense(key, asc, ascq, format, fieldPointer ?? undefined)), wanted);
    },
  );
});
