/** Addresses of simulated LUNs: what is one, and what is said of what is none. */
import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { parseSimAddress } from "../../../lib/sim/address.ts";

Deno.test("parseSimAddress(): file, nexus, and defaults", () => {
  const { file, nexus, delayMs, create, profile } = parseSimAddress("sim:/tmp/lun.json?nexus=A");
  assert.deepEqual([file, nexus, delayMs, create, profile], ["/tmp/lun.json", "a", 0, false, null]);
});

Deno.test("parseSimAddress(): every option; a question mark in the name of the file", () => {
  const address = parseSimAddress("sim:what?.json?nexus=host-1&port=2&delayMs=5&create&profile=lio");
  assert.deepEqual(
    [address.file, address.nexus, address.delayMs, address.create, address.profile?.name],
    ["what?.json", "host-1#2", 5, true, "lio"],
  );
  assert.equal(parseSimAddress("sim:x?nexus=A&create=1").create, true);
});

const WRONG: readonly (readonly [address: string, what: RegExp])[] = [
  ["sim:x", /it has no \?nexus=NAME/],
  ["sim:?nexus=A", /it has no \?nexus=NAME/],
  ["sim:x?", /does not say which nexus/],
  ["sim:x?nexus=", /does not say which nexus/],
  ["sim:x?nexus=a b", /is no nexus name/],
  ["sim:x?nexus=A&nexus=B", /"nexus" is there twice/],
  ["sim:x?nexus=A&colour=red", /there is no option "colour"/],
  ["sim:x?nexus=A&port=0", /is no relative target port/],
  ["sim:x?nexus=A&port=99999", /port=99999 is no number from 0 to 65535/],
  ["sim:x?nexus=A&delayMs=-1", /delayMs=-1 is no number/],
  ["sim:x?nexus=A&delayMs=1e3", /delayMs=1e3 is no number/],
  ["sim:x?nexus=A&create=yes", /"create" takes no value/],
  ["sim:x?nexus=A&profile=netapp", /there is no profile "netapp", only spc4, lio/],
  ["sim:x?nexus=A&profile=toString", /there is no profile/],
];
for (const [address, what] of WRONG) {
  Deno.test(`parseSimAddress("${address}") is a usage error`, () => {
    assert.throws(() => parseSimAddress(address), (error: PrmigError) => {
      assert.ok(error instanceof PrmigError);
      assert.equal(error.exitCode, 2);
      assert.match(error.message, what);
      return true;
    });
  });
}
