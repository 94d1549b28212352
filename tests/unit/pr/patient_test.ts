import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { patient, type Retry } from "../../../lib/pr/patient.ts";
import type { Nexus, Reply } from "../../../lib/pr/nexus.ts";
import {
  type Answer,
  check,
  exchange,
  FakeNexus,
  good,
  lostInTransport,
  senseOf,
  status,
} from "../../support/fake_nexus.ts";

const READ_KEYS = "5e 00 00 00 00 00 00 20 00 00";
const REGISTER = "5f 00 00 00 00 00 00 00 18 00";
const REQUEST_SENSE = "03 00 00 00 fc 00";
const POWER_ON = senseOf(6, 0x29, 0x00);
const PREEMPTED = senseOf(6, 0x2a, 0x05);

/** A clock that only sleeping moves. */
class Clock {
  ms = 0;
  readonly sleeps: number[] = [];
  readonly retries: Retry[] = [];

  wrap(nexus: Nexus, deadlineMs = 10_000): Nexus {
    return patient(nexus, {
      deadlineMs,
      now: () => this.ms,
      sleep: (ms) => {
        this.sleeps.push(ms);
        this.ms += ms;
        return Promise.resolve();
      },
      onRetry: (retry) => this.retries.push(retry),
    });
  }
}

async function run(
  cdb: string,
  answers: readonly Answer[],
  deadlineMs?: number,
): Promise<{ reply: Reply; clock: Clock }> {
  using nexus = new FakeNexus(answers.map((answer) => exchange(cdb, answer)));
  const clock = new Clock();
  const data = cdb === REGISTER ? new Uint8Array(24) : 8192;
  const bytes = Uint8Array.from(cdb.split(" "), (byte) => parseInt(byte, 16));
  const reply = await clock.wrap(nexus, deadlineMs).execute(bytes, data);
  return { reply, clock };
}

for (const cdb of [READ_KEYS, REGISTER]) {
  Deno.test(`patient() sends ${cdb} again after unit attentions, without a pause`, async () => {
    const { reply, clock } = await run(cdb, [POWER_ON, PREEMPTED, senseOf(6, 0x3f, 0x0e), good()]);
    assert.equal(reply.status, 0);
    assert.deepEqual(clock.sleeps, []);
    assert.deepEqual(clock.retries.map(({ attempt, outcome }) => [attempt, outcome.kind]), [
      [1, "unitAttention"],
      [2, "unitAttention"],
      [3, "unitAttention"],
    ]);
  });

  Deno.test(`patient() backs off while the device is busy, ${cdb}`, async () => {
    const { reply, clock } = await run(cdb, [
      status(0x08),
      status(0x28),
      senseOf(2, 0x04, 0x01),
      senseOf(2, 0x04, 0x0a),
      lostInTransport(0x02),
      good(),
    ]);
    assert.equal(reply.status, 0);
    assert.deepEqual(clock.sleeps, [10, 20, 40, 80, 160]);
  });
}

Deno.test("patient() pauses at most a second, and keeps the last reply at the deadline", async () => {
  const { reply, clock } = await run(REGISTER, Array<Answer>(11).fill(status(0x08)), 5_000);
  assert.deepEqual(clock.sleeps, [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
  assert.equal(reply.status, 0x08);
});

Deno.test("patient() asks REQUEST SENSE once when the same unit attention comes back", async () => {
  using nexus = new FakeNexus([
    exchange(REGISTER, PREEMPTED),
    exchange(REGISTER, PREEMPTED),
    exchange(REQUEST_SENSE, good("70")),
    exchange(REGISTER, PREEMPTED),
    exchange(REGISTER, good()),
  ]);
  const reply = await new Clock().wrap(nexus).execute(
    Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0),
    new Uint8Array(24),
  );
  assert.equal(reply.status, 0);
});

Deno.test("patient() gives up after ten unit attentions", async () => {
  const codes = Array.from({ length: 11 }, (_, i) => senseOf(6, 0x2a, i));
  const { reply, clock } = await run(REGISTER, codes);
  assert.equal(reply.status, 0x02);
  assert.equal(clock.retries.length, 10);
});

const UNKNOWN: readonly (readonly [string, Answer])[] = [
  ["a timeout", lostInTransport(0x03)],
  ["a driver timeout", lostInTransport(0, 0x06)],
  ["a lost path", lostInTransport(0x01)],
  ["REQUEUE", lostInTransport(0x0d)],
  ["02/08/00, which LIO gives to a REGISTER it executed", senseOf(2, 0x08, 0x00)],
  ["HARDWARE ERROR", senseOf(4, 0x44, 0x00)],
  ["ABORTED COMMAND", senseOf(0xb, 0x00, 0x00)],
  ["TASK ABORTED", status(0x40)],
  ["CHECK CONDITION without sense", check("")],
];

for (const [what, answer] of UNKNOWN) {
  Deno.test(`patient() never repeats a PR OUT after ${what}, and a read once`, async () => {
    const { clock } = await run(REGISTER, [answer]);
    assert.deepEqual(clock.retries, []);
    assert.deepEqual((await run(READ_KEYS, [answer, good()])).reply.status, 0);
    assert.deepEqual((await run(READ_KEYS, [answer, answer])).clock.retries.length, 1);
  });
}

Deno.test("patient() does not repeat what is final: conflict, refusal", async () => {
  for (const answer of [status(0x18), lostInTransport(0x11), senseOf(5, 0x26, 0), senseOf(7, 0x44, 1)]) {
    assert.deepEqual((await run(REGISTER, [answer])).clock.retries, []);
    assert.deepEqual((await run(READ_KEYS, [answer])).clock.retries, []);
  }
});

Deno.test("patient() does not repeat a MODE SELECT whose outcome is unknown", async () => {
  using nexus = new FakeNexus([exchange("15 10 00 00 0c 00", lostInTransport(0x03))]);
  await new Clock().wrap(nexus).execute(Uint8Array.of(0x15, 0x10, 0, 0, 12, 0), new Uint8Array(12));
});

Deno.test("patient() passes on limits, rejections, address, initiator and close()", async () => {
  const gone = new PrmigError("device", { message: "gone", lun: "unchanged", remedy: "none" });
  const initiator = { transportId: { protocol: "sas", address: "5000" }, match: "exact" } as const;
  using nexus = new FakeNexus(
    [exchange("00 00 00 00 00 00", good(), { timeoutMs: 7 }), exchange("00 00 00 00 00 00", gone)],
    { address: "/dev/sg9", initiator },
  );
  const wrapped = patient(nexus);
  assert.equal(wrapped.address, "/dev/sg9");
  assert.equal(wrapped.initiator, initiator);
  await wrapped.execute(new Uint8Array(6), 0, { timeoutMs: 7 });
  await assert.rejects(wrapped.execute(new Uint8Array(6), 0), gone);
  wrapped.close();
  assert.equal(nexus.closed, 1);
});

Deno.test("patient() waits in real time by default", async () => {
  using nexus = new FakeNexus([exchange("00 00 00 00 00 00", status(0x08)), exchange("00 00 00 00 00 00")]);
  assert.equal((await patient(nexus).execute(new Uint8Array(6), 0)).status, 0);
});
