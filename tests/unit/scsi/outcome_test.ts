import assert from "node:assert/strict";
import { classify, describeOutcome } from "../../../lib/scsi/outcome.ts";
import { encodeSense } from "../../../lib/scsi/sense.ts";
import { describeDriverStatus, describeHostStatus, describeStatus, STATUS } from "../../../lib/scsi/status.ts";

const NONE = new Uint8Array();

const STATUSES = [
  [0x00, "good", "GOOD"],
  [0x04, "good", "GOOD"],
  [0x08, "busy", "BUSY"],
  [0x18, "conflict", "RESERVATION CONFLICT"],
  [0x28, "busy", "TASK SET FULL"],
  [0x30, "busy", "ACA ACTIVE"],
  [0x40, "unknown", "outcome unknown: TASK ABORTED"],
  [0x02, "unknown", "outcome unknown: CHECK CONDITION without usable sense data"],
  [0x99, "unknown", "outcome unknown: status 99h"],
] as const;

for (const [status, kind, words] of STATUSES) {
  Deno.test(`classify() of status ${status.toString(16)}h without sense: ${kind}`, () => {
    const outcome = classify({ status, sense: NONE });
    assert.equal(outcome.kind, kind);
    assert.equal(describeOutcome(outcome), words);
  });
}

const SENSES = [
  [0x0, 0x00, 0x00, "unknown"],
  [0x1, 0x17, 0x01, "good"], // RECOVERED ERROR: done
  [0x2, 0x04, 0x01, "busy"],
  [0x2, 0x04, 0x0a, "busy"], // ALUA transition
  [0x2, 0x08, 0x00, "unknown"], // LIO: may have been executed
  [0x2, 0x3a, 0x00, "unknown"],
  [0x3, 0x11, 0x00, "unknown"],
  [0x4, 0x44, 0x00, "unknown"],
  [0x5, 0x1a, 0x00, "refused"],
  [0x5, 0x20, 0x00, "refused"],
  [0x5, 0x24, 0x00, "refused"],
  [0x5, 0x26, 0x04, "refused"],
  [0x5, 0x55, 0x04, "refused"],
  [0x6, 0x2a, 0x03, "unitAttention"],
  [0x6, 0x2a, 0x05, "unitAttention"],
  [0x6, 0x2f, 0x00, "unitAttention"],
  [0x7, 0x44, 0x01, "refused"],
  [0xb, 0x00, 0x06, "unknown"],
  [0xe, 0x1d, 0x00, "unknown"],
] as const;

for (const [key, asc, ascq, kind] of SENSES) {
  const code = [key, asc, ascq].map((n) => n.toString(16).padStart(2, "0")).join("/");
  Deno.test(`classify() of CHECK CONDITION ${code}, either format: ${kind}`, () => {
    for (const format of ["fixed", "descriptor"] as const) {
      const sense = encodeSense(key, asc, ascq, format);
      assert.equal(classify({ status: STATUS.checkCondition, sense }).kind, kind);
      // Older kernels say "sense valid" in the driver byte, newer ones nothing.
      assert.equal(classify({ status: STATUS.checkCondition, sense, hostStatus: 0, driverStatus: 8 }).kind, kind);
    }
  });
}

const HOSTS = [
  [0x01, "unknown", "outcome unknown: host status NO_CONNECT (01h)"],
  [0x02, "busy", "host status BUS_BUSY (02h)"],
  [0x03, "unknown", "outcome unknown: host status TIME_OUT (03h)"],
  [0x05, "unknown", "outcome unknown: host status ABORT (05h)"],
  [0x07, "unknown", "outcome unknown: host status ERROR (07h)"],
  [0x08, "unknown", "outcome unknown: host status RESET (08h)"],
  [0x0b, "unknown", "outcome unknown: host status SOFT_ERROR (0Bh)"],
  [0x0d, "unknown", "outcome unknown: host status REQUEUE (0Dh)"],
  [0x0e, "unknown", "outcome unknown: host status TRANSPORT_DISRUPTED (0Eh)"],
  [0x0f, "unknown", "outcome unknown: host status TRANSPORT_FAILFAST (0Fh)"],
  [0x10, "unknown", "outcome unknown: host status TARGET_FAILURE (10h)"],
  [0x11, "conflict", "RESERVATION CONFLICT"],
  [0x14, "unknown", "outcome unknown: host status TRANSPORT_MARGINAL (14h)"],
  [0x42, "unknown", "outcome unknown: host status of no known name (42h)"],
] as const;

for (const [hostStatus, kind, words] of HOSTS) {
  Deno.test(`classify() of host status ${hostStatus.toString(16)}h beside status 0: ${kind}`, () => {
    const outcome = classify({ status: 0, sense: NONE, hostStatus, driverStatus: 0 });
    assert.equal(outcome.kind, kind);
    assert.equal(describeOutcome(outcome), words);
  });
}

Deno.test("classify() reads the SCSI status first where the host byte only repeats it", () => {
  const sense = encodeSense(5, 0x24, 0);
  assert.equal(classify({ status: 2, sense, hostStatus: 0x10 }).kind, "refused");
  assert.equal(classify({ status: 0x18, sense: NONE, hostStatus: 0x11 }).kind, "conflict");
  assert.equal(classify({ status: 0x18, sense: NONE, hostStatus: 0x07 }).kind, "conflict");
});

Deno.test("classify() does not trust a status the transport disowns", () => {
  assert.equal(classify({ status: 0, sense: NONE, hostStatus: 0x03 }).kind, "unknown");
  assert.equal(classify({ status: 0, sense: NONE, driverStatus: 0x06 }).kind, "unknown");
  assert.equal(classify({ status: 0, sense: NONE, driverStatus: 0x16 }).kind, "unknown"); // with an old "suggestion"
  assert.equal(classify({ status: 0, sense: NONE, driverStatus: 0x08 }).kind, "good");
});

Deno.test("classify() takes a deferred error for news of an earlier command, not for an answer to this one", () => {
  const sense = encodeSense(5, 0x24, 0);
  sense[0] = 0x71;
  assert.equal(classify({ status: 2, sense }).kind, "unknown");
});

Deno.test("statuses without a name are shown by number", () => {
  assert.equal(describeStatus(0x22), "status 22h");
  assert.equal(describeHostStatus(0x11), "host status NEXUS_FAILURE (11h)");
  assert.equal(describeDriverStatus(0x06), "driver status TIMEOUT (06h)");
  assert.equal(describeDriverStatus(0x0f), "driver status of no known name (0Fh)");
});
