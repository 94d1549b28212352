import assert from "node:assert/strict";
import type { InitiatorHint } from "../../../lib/pr/nexus.ts";
import { isOwn } from "../../../lib/pr/own.ts";
import type { TransportId } from "../../../lib/pr/transport_id.ts";

const SAS: TransportId = { protocol: "sas", address: "500062b200c4e6f1" };
const OTHER: TransportId = { protocol: "sas", address: "500062b200c4e6f2" };
const NAME: TransportId = { protocol: "iscsi", address: "iqn.1994-05.com.redhat:dst" };
const PORT: TransportId = { protocol: "iscsi", address: "iqn.1994-05.com.redhat:dst,i,0x00023d000001" };
const LONGER: TransportId = { protocol: "iscsi", address: "iqn.1994-05.com.redhat:dst2,i,0x00023d000001" };

const exactly = (transportId: TransportId): InitiatorHint => ({ transportId, match: "exact" });
const beginning = (transportId: TransportId): InitiatorHint => ({ transportId, match: "prefix" });

const CASES: readonly (readonly [
  string,
  TransportId | null,
  number | "all" | null,
  InitiatorHint | null,
  number | null,
  boolean | null,
])[] = [
  ["same port, same target port", SAS, 1, exactly(SAS), 1, true],
  ["same port, every target port", SAS, "all", exactly(SAS), 1, true],
  ["same port, every target port, ours not known", SAS, "all", exactly(SAS), null, true],
  ["same port, another target port: another path", SAS, 2, exactly(SAS), 1, false],
  ["same port, our target port not known", SAS, 1, exactly(SAS), null, null],
  ["another port", OTHER, 1, exactly(SAS), 1, false],
  ["another port, our target port not known", OTHER, 1, exactly(SAS), null, false],
  ["our port not known", SAS, 1, null, 1, null],
  ["our port not known, but another target port", SAS, 2, null, 1, false],
  ["the device names nobody", null, null, exactly(SAS), 1, null],
  ["iSCSI, the case of letters", { ...PORT, address: PORT.address.toUpperCase() }, 1, exactly(PORT), 1, true],
  ["iSCSI, our name without ISID: any session of ours", PORT, 1, beginning(NAME), 1, null],
  ["iSCSI, our name, registered without ISID", NAME, 1, beginning(NAME), 1, null],
  ["iSCSI, another name that begins like ours", LONGER, 1, beginning(NAME), 1, false],
  ["iSCSI, our name, another target port", PORT, 2, beginning(NAME), 1, false],
  ["iSCSI beginning against SAS", SAS, 1, beginning(NAME), 1, false],
  ["SAS beginning", SAS, 1, beginning({ protocol: "sas", address: "500062B2" }), 1, null],
  ["SAS with another beginning", SAS, 1, beginning({ protocol: "sas", address: "600062b2" }), 1, false],
];

for (const [what, transportId, relativeTargetPort, initiator, ours, wanted] of CASES) {
  Deno.test(`isOwn(), ${what}: ${wanted}`, () => {
    assert.equal(isOwn({ transportId, relativeTargetPort }, initiator, ours), wanted);
  });
}
