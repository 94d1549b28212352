import assert from "node:assert/strict";
import { toHex } from "../../../lib/bytes.ts";
import { decodeSense, senseCode } from "../../../lib/scsi/sense.ts";
import type { HelperAnswer } from "../../../lib/snoop/helper_protocol.ts";
import { answerForErrno, answerForReply, BUSY_ANSWER, READ_ONLY_ANSWER } from "../../../lib/snoop/result.ts";

const NOTHING = new Uint8Array();

function said({ status, sense }: HelperAnswer): string {
  const decoded = decodeSense(sense);
  return decoded ? senseCode(decoded) : `status ${status.toString(16)}`;
}

const ERRNOS: [string, number, string][] = [
  ["EBADE", 52, "status 18"],
  ["EDOM", 33, "status 28"],
  ["EINVAL", 22, "05/24/00"],
  ["ENOMEM", 12, "04/44/00"],
  ["ENODEV", 19, "04/44/00"],
  ["EREMOTEIO", 121, "04/44/00"],
  ["ENODATA", 61, "03/11/00"],
  ["ENOMEDIUM", 123, "02/3A/00"],
  ["ENOSPC", 28, "07/27/07"],
  ["ENOTTY", 25, "0B/00/06"],
  ["EIO", 5, "0B/00/06"],
  ["EPERM", 1, "0B/00/06"],
];
for (const [name, errno, wanted] of ERRNOS) {
  Deno.test(`answerForErrno(): ${name} becomes ${wanted}`, () => {
    assert.equal(said(answerForErrno(errno)), wanted);
    assert.equal(said(answerForErrno(-errno)), wanted);
  });
}

Deno.test("ENOTTY in the stock program's very bytes", () => {
  assert.equal(toHex(answerForErrno(25).sense, " "), "70 00 0b 00 00 00 00 0a 00 00 00 00 00 06 00 00 00 00");
});

const HOSTS: [number, string][] = [
  [0x01, "0B/05/00"],
  [0x02, "status 8"],
  [0x03, "0B/2E/02"],
  [0x04, "0B/08/00"],
  [0x05, "0B/2F/02"],
  [0x08, "06/29/00"],
  [0x0e, "0B/29/07"],
  [0x10, "04/44/00"],
  [0x11, "status 18"],
  [0x12, "07/27/07"],
  [0x13, "03/11/00"],
];
Deno.test("answerForReply(): every host status; what the stock program reports as GOOD is 0B/08/00", () => {
  const listed = new Map(HOSTS);
  for (let hostStatus = 1; hostStatus <= 0x20; hostStatus++) {
    const answer = answerForReply({ status: 0, sense: NOTHING, dataIn: NOTHING, hostStatus });
    assert.equal(said(answer), listed.get(hostStatus) ?? "0B/08/00", `host status ${hostStatus}`);
  }
});

Deno.test("answerForReply(): a driver timeout is BUSY, sense-valid is nothing, the host status comes first", () => {
  const reply = { status: 0, sense: NOTHING, dataIn: NOTHING };
  assert.deepEqual(answerForReply({ ...reply, driverStatus: 0x06 }), BUSY_ANSWER);
  assert.equal(answerForReply({ ...reply, driverStatus: 0x08 }).status, 0);
  assert.equal(said(answerForReply({ ...reply, hostStatus: 0x11, driverStatus: 0x06 })), "status 18");
});

Deno.test("answerForReply(): the device's status passes unchanged, its sense up to 96 bytes", () => {
  for (const status of [0x00, 0x02, 0x08, 0x18, 0x28, 0x30, 0x40]) {
    const sense = new Uint8Array(252).fill(status === 2 ? 0x5a : 0);
    const answer = answerForReply({ status, sense, dataIn: Uint8Array.of(1, 2), hostStatus: 0, driverStatus: 0 });
    assert.deepEqual([answer.status, answer.sense.length, toHex(answer.data)], [status, 96, "0102"]);
  }
});

Deno.test("a read-only descriptor answers 05/20/00", () => assert.equal(said(READ_ONLY_ANSWER), "05/20/00"));
