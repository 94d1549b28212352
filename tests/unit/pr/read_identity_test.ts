import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { readIdentity } from "../../../lib/pr/read_identity.ts";
import { conflict, exchange, FakeNexus, good, lostInTransport, senseOf, status } from "../../support/fake_nexus.ts";

const INQUIRY = "12 00 00 00 60 00";
const VPD_00 = "12 01 00 00 fc 00";
const VPD_80 = "12 01 80 00 fc 00";
const VPD_83 = "12 01 83 04 00 00";
const STANDARD = good("00 00 06 02 1f 00 00 02 4c494f2d4f524720 46494c45494f20202020202020202020 342e3020");
const PAGES = good("00 00 0003 00 80 83");
const DESIGNATORS = good("00 83 001c 01 03 00 10 6001405aabbccdd0011223344556677f 51 94 00 04 00000002");
const SERIAL = good("00 80 0004 53455231");
const REFUSED = senseOf(5, 0x24, 0);

const LIO = {
  ...{ designator: "naa.6001405aabbccdd0011223344556677f", designators: ["naa.6001405aabbccdd0011223344556677f"] },
  ...{ vendor: "LIO-ORG", product: "FILEIO", revision: "4.0", serial: "SER1", deviceType: 0, relativeTargetPort: 2 },
};
const NAMELESS = { ...LIO, designator: null, designators: [], serial: null, relativeTargetPort: null };

const CASES = [
  ["in four commands", [[INQUIRY, STANDARD], [VPD_00, PAGES], [VPD_83, DESIGNATORS], [VPD_80, SERIAL]], LIO],
  ["without pages the device does not list", [[INQUIRY, STANDARD], [VPD_00, good("00 00 0001 00")]], NAMELESS],
  ["of a device without VPD", [[INQUIRY, STANDARD], [VPD_00, REFUSED]], NAMELESS],
  ["of a device that answers EVPD with standard data", [[INQUIRY, STANDARD], [VPD_00, good("00 02 06 02")]], NAMELESS],
  [
    "of a device that lists pages and refuses them",
    [[INQUIRY, STANDARD], [VPD_00, PAGES], [VPD_83, REFUSED], [VPD_80, good("00")]],
    NAMELESS,
  ],
  [
    "where there is no logical unit",
    [[INQUIRY, good("7f 00 06 02 00")]],
    { ...NAMELESS, vendor: "", product: "", revision: "", deviceType: 0x1f },
  ],
] as const;
for (const [what, script, expected] of CASES) {
  Deno.test(`readIdentity() ${what}`, async () => {
    using nexus = new FakeNexus(script.map(([cdb, answer]) => exchange(cdb, answer)));
    assert.deepEqual(await readIdentity(nexus), expected);
  });
}

Deno.test("readIdentity() waits out BUSY unless told not to", async () => {
  const rest = [exchange(VPD_00, PAGES), exchange(VPD_83, DESIGNATORS), exchange(VPD_80, SERIAL)];
  using nexus = new FakeNexus([exchange(INQUIRY, status(0x08)), exchange(INQUIRY, STANDARD), ...rest]);
  assert.deepEqual(await readIdentity(nexus), LIO);
  using impatient = new FakeNexus([exchange(INQUIRY, status(0x08))]);
  await assert.rejects(readIdentity(impatient, { retry: false }), (error: PrmigError) => error.kind === "failed");
});

Deno.test("readIdentity() hands its time limit to every command", async () => {
  using nexus = new FakeNexus([
    exchange(INQUIRY, STANDARD, { timeoutMs: 1234, allocationLength: 96 }),
    exchange(VPD_00, REFUSED, { timeoutMs: 1234, allocationLength: 252 }),
  ]);
  await readIdentity(nexus, { timeoutMs: 1234 });
});

const FAILURES = [
  ["INQUIRY is refused", [[INQUIRY, REFUSED]], /INQUIRY|no usable answer/],
  ["INQUIRY answers three bytes", [[INQUIRY, good("00 00 06")]], /no usable answer/],
  ["the path is lost", [[INQUIRY, lostInTransport(1)]], /Cannot identify fake:lun: INQUIRY ended in outcome unknown/],
  [
    "a page meets a conflict",
    [[INQUIRY, STANDARD], [VPD_00, conflict()]],
    /VPD page 00h ended in RESERVATION CONFLICT/,
  ],
] as const;
for (const [what, script, message] of FAILURES) {
  Deno.test(`readIdentity() when ${what}: exit code 4`, async () => {
    using nexus = new FakeNexus(script.map(([cdb, answer]) => exchange(cdb, answer)));
    await assert.rejects(readIdentity(nexus, { retry: false }), (error: PrmigError) => {
      assert.ok(error instanceof PrmigError, String(error));
      assert.equal(error.exitCode, 4);
      assert.match(error.message, message);
      return true;
    });
  });
}
