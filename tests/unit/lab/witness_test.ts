/** Texts captured from sg_persist 1.46 against LIO. */
import assert from "node:assert/strict";
import { parseFullStatus, parseReservation } from "../../lab/witness.ts";

const FULL_STATUS = `  PR generation=0x2
    Key=0xdef
      All target ports bit clear
      Relative port address: 0x2
      not reservation holder
      Transport Id of initiator:
        SAS address: 0x600140000000bbbb
    Key=0xabc
      All target ports bit clear
      Relative port address: 0x1
      << Reservation holder >>
      scope: LU_SCOPE,  type: Write Exclusive, registrants only
      Transport Id of initiator:
        SAS address: 0x600140000000aaaa
`;

Deno.test("parseFullStatus() finds every registrant, in the order of their ports", () => {
  assert.deepEqual(parseFullStatus(FULL_STATUS), {
    generation: 2,
    registrants: [
      { key: 0xabcn, holder: true, initiatorPort: "naa.600140000000aaaa", relativeTargetPort: 1 },
      { key: 0xdefn, holder: false, initiatorPort: "naa.600140000000bbbb", relativeTargetPort: 2 },
    ],
  });
});

Deno.test("parseFullStatus() finds nobody on a fresh LUN", () => {
  const text = "  PR generation=0x0\n  No full status descriptors\n";
  assert.deepEqual(parseFullStatus(text), { generation: 0, registrants: [] });
});

Deno.test("parseReservation() reads key and type, and that there is none", () => {
  const held = "  PR generation=0x2, Reservation follows:\n    Key=0x0\n    scope: LU_SCOPE,  type: ";
  assert.deepEqual(parseReservation(`${held}Exclusive Access, all registrants\n`), { key: 0n, type: 8 });
  assert.deepEqual(parseReservation(`${held}Write Exclusive\n`), { key: 0n, type: 1 });
  assert.equal(parseReservation("  PR generation=0x0, there is NO reservation held\n"), null);
});

Deno.test("the witness does not guess: a text it does not know is an error", () => {
  assert.throws(() => parseFullStatus("PR in (Read full status): Unit attention\n"));
  assert.throws(() => parseReservation("    Key=0x1\n    scope: LU_SCOPE,  type: obsolete [4]\n"));
});
