/** The access table of the standard, written out a second time: command by command, type by type, role by role. */
import assert from "node:assert/strict";
import { accessClassOf, isAllowed, mediumAccess, type Role } from "../../../lib/pr/access.ts";
import { fromHex } from "../../../lib/bytes.ts";
import type { PrType } from "../../../lib/pr/types.ts";
import { LIO, TGT } from "../../../lib/pr/sim/profile.ts";
import { Driver } from "../../support/sim.ts";

/** Columns: 1 other, 3 other, 5-8 registered, 5/7 stranger, 6/8 stranger; A allowed, C conflict. */
const TABLE: readonly (readonly [name: string, cdb: string, columns: string])[] = [
  ["TEST UNIT READY", "00 00 00 00 00 00", "AAAAA"],
  ["REQUEST SENSE", "03 00 00 00 12 00", "AAAAA"],
  ["INQUIRY", "12 00 00 00 24 00", "AAAAA"],
  ["REPORT LUNS", "a0 00 00 00 00 00 00 00 00 10 00 00", "AAAAA"],
  ["LOG SENSE", "4d 00 00 00 00 00 00 00 05 00", "AAAAA"],
  ["READ CAPACITY(10)", "25 00 00 00 00 00 00 00 00 00", "AAAAA"],
  ["READ CAPACITY(16)", "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00", "AAAAA"],
  ["REPORT TARGET PORT GROUPS", "a3 0a 00 00 00 00 00 00 00 00 00 00", "AAAAA"],
  ["READ(6)", "08 00 00 00 01 00", "ACAAC"],
  ["READ(10)", "28 00 00 00 00 00 00 00 01 00", "ACAAC"],
  ["READ(12)", "a8 00 00 00 00 00 00 00 00 01 00 00", "ACAAC"],
  ["READ(16)", "88 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", "ACAAC"],
  ["VERIFY(10)", "2f 00 00 00 00 00 00 00 01 00", "ACAAC"],
  ["GET LBA STATUS", "9e 12 00 00 00 00 00 00 00 00 00 00 00 20 00 00", "ACAAC"],
  ["MODE SENSE(6)", "1a 08 3f 00 c0 00", "ACAAC"],
  ["MODE SENSE(10)", "5a 08 3f 00 00 00 00 00 c0 00", "ACAAC"],
  ["REPORT SUPPORTED OPERATION CODES", "a3 0c 00 00 00 00 00 00 02 00 00 00", "ACAAC"],
  ["REPORT SUPPORTED TMF", "a3 0d 00 00 00 00 00 00 00 04 00 00", "ACAAC"],
  ["WRITE(6)", "0a 00 00 00 01 00", "CCACC"],
  ["WRITE(10)", "2a 00 00 00 00 00 00 00 01 00", "CCACC"],
  ["WRITE(12)", "aa 00 00 00 00 00 00 00 00 01 00 00", "CCACC"],
  ["WRITE(16)", "8a 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", "CCACC"],
  ["WRITE AND VERIFY(10)", "2e 00 00 00 00 00 00 00 01 00", "CCACC"],
  ["WRITE SAME(16)", "93 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", "CCACC"],
  ["UNMAP", "42 00 00 00 00 00 00 00 18 00", "CCACC"],
  ["COMPARE AND WRITE", "89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", "CCACC"],
  ["SYNCHRONIZE CACHE(10)", "35 00 00 00 00 00 00 00 00 00", "CCACC"],
  ["MODE SELECT(6)", "15 10 00 00 00 00", "CCACC"],
  ["SEND DIAGNOSTIC", "1d 00 00 00 00 00", "CCACC"],
  ["START STOP UNIT, start", "1b 00 00 00 01 00", "AAAAA"],
  ["START STOP UNIT, stop", "1b 00 00 00 00 00", "CCACC"],
  ["START STOP UNIT, start with power condition", "1b 00 00 00 11 00", "CCACC"],
  ["PREVENT ALLOW, allow", "1e 00 00 00 00 00", "AAAAA"],
  ["PREVENT ALLOW, prevent", "1e 00 00 00 01 00", "CCACC"],
  ["an unknown command", "d0 00 00 00 00 00", "CCACC"],
];

const COLUMNS: readonly (readonly [types: readonly PrType[], role: Role])[] = [
  [[1], "registrant"],
  [[3], "registrant"],
  [[5, 6], "registrant"],
  [[5, 7], "stranger"],
  [[6, 8], "stranger"],
];

for (const [name, cdb, columns] of TABLE) {
  Deno.test(`isAllowed(): ${name} is ${columns}`, () => {
    const accessClass = accessClassOf(fromHex(cdb));
    COLUMNS.forEach(([types, role], i) => {
      for (const type of types) {
        const wanted = columns[i] === "A";
        assert.equal(isAllowed(type, role, accessClass), wanted, `type ${type}, ${role}`);
        // Types 1 and 3 know no difference between a registrant and a stranger.
        if (type < 5) assert.equal(isAllowed(type, "stranger", accessClass), wanted, `type ${type}, stranger`);
        assert.equal(isAllowed(type, "holder", accessClass), true, `type ${type}, holder`);
      }
    });
  });
}

Deno.test("the simulated LUN keeps to the table: a stranger's command conflicts or does not", () => {
  for (const [name, cdb, columns] of TABLE) {
    for (const [type, column] of [[1, 0], [3, 1], [5, 3], [6, 4], [7, 3], [8, 4]] as const) {
      const lun = new Driver();
      lun.register("a", 0n, 1n);
      lun.reserve("a", 1n, type);
      const conflicts = lun.send("b", cdb, 512).status === 0x18;
      assert.equal(conflicts, columns[column] === "C", `${name}, type ${type}`);
    }
  }
});

Deno.test("mediumAccess() in short", () => {
  const row = (type: PrType): string => [mediumAccess(type, "registrant"), mediumAccess(type, "stranger")].join(" ");
  assert.deepEqual([1, 3, 5, 6, 7, 8].map((type) => row(type as PrType)), [
    "r- r-",
    "-- --",
    "rw r-",
    "rw --",
    "rw r-",
    "rw --",
  ]);
});

Deno.test("LIO judges commands without data by their direction, and forgets READ CAPACITY", () => {
  const stranger = (type: number, cdb: string, registered = false): string => {
    const lun = new Driver(LIO);
    lun.register("a", 0n, 1n);
    lun.reserve("a", 1n, type);
    if (registered) lun.register("b", 0n, 2n);
    return lun.send("b", cdb, 512).status === 0x18 ? "conflict" : "passes";
  };
  assert.equal(stranger(5, "35 00 00 00 00 00 00 00 00 00"), "passes");
  assert.equal(stranger(1, "1b 00 00 00 00 00"), "passes");
  assert.equal(stranger(1, "1b 00 00 00 00 00", true), "conflict");
  assert.equal(stranger(6, "25 00 00 00 00 00 00 00 00 00"), "conflict");
  assert.equal(stranger(6, "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00"), "conflict");
  assert.equal(stranger(3, "1a 08 3f 00 c0 00"), "conflict");
  assert.equal(stranger(3, "1a 08 3f 00 c0 00", true), "passes");
  assert.equal(stranger(1, "28 00 00 00 00 00 00 00 01 00", true), "passes");
  assert.equal(stranger(5, "2a 00 00 00 00 00 00 00 01 00"), "conflict");
});

Deno.test("tgt keeps strangers from MODE SENSE and nobody from START STOP UNIT", () => {
  const lun = new Driver(TGT);
  lun.register("a", 0n, 1n);
  lun.reserve("a", 1n, 5);
  assert.equal(lun.send("b", "1a 08 3f 00 c0 00", 192).status, 0x18);
  assert.equal(lun.send("b", "1b 00 00 00 00 00").status, 0);
  assert.equal(lun.send("b", "28 00 00 00 00 00 00 00 01 00", 512).status, 0);
});
