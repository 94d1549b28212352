import assert from "node:assert/strict";
import { PR_OUT_ACTION, type PrOutAction, prOutCdb } from "../../../lib/pr/cdb.ts";
import { encodePrOut, encodeRegisterAndMove } from "../../../lib/pr/pr_out.ts";
import { type Step, track, type Tracked, UNKNOWN_CLIENT } from "../../../lib/pr/tracker.ts";
import type { Outcome } from "../../../lib/scsi/outcome.ts";

const K = 0x1122334455667788n, L = 0xa5a5000000000001n;
const GOOD: Outcome = { kind: "good" };
const CONFLICT: Outcome = { kind: "conflict" };
const STRANGER: Tracked = { key: 0n, type: 0, aptpl: null };
const MEMBER: Tracked = { key: K, type: 0, aptpl: false };
const HOLDER: Tracked = { key: K, type: 5, aptpl: false };

interface Fields {
  rk?: bigint;
  sark?: bigint;
  type?: number;
  aptpl?: boolean;
}

function send(before: Tracked, action: PrOutAction, fields: Fields, outcome: Outcome): Step {
  const { rk = 0n, sark = 0n, type = 0, aptpl = false } = fields;
  return track(before, prOutCdb({ action, type }), encodePrOut({ rk, sark, aptpl }), outcome);
}

function attention(asc: number, ascq: number): Outcome {
  return { kind: "unitAttention", sense: { format: "fixed", deferred: false, key: 6, asc, ascq } };
}

type Wanted = [key: bigint | null, type: number | null, ask: "now" | "later" | null];

const PROVEN: [string, Tracked, PrOutAction, Fields, Wanted][] = [
  ["REGISTER 0 -> K", STRANGER, "register", { sark: K }, [K, 0, "later"]],
  ["REGISTER 0 -> K by somebody unknown", UNKNOWN_CLIENT, "register", { sark: K }, [K, 0, "later"]],
  ["REGISTER K -> L keeps the reservation", HOLDER, "register", { rk: K, sark: L }, [L, 5, null]],
  ["REGISTER K -> 0", HOLDER, "register", { rk: K }, [0n, 0, null]],
  ["REGISTER 0 -> 0", STRANGER, "register", {}, [0n, 0, null]],
  ["REGISTER of a key that was not known", MEMBER, "register", { rk: L, sark: K }, [K, null, "now"]],
  ["REGISTER K -> L by somebody unknown", UNKNOWN_CLIENT, "register", { rk: K, sark: L }, [L, null, "now"]],
  ["RAIEK by a stranger", STRANGER, "registerAndIgnore", { rk: 9n, sark: K }, [K, 0, "later"]],
  ["RAIEK by the holder keeps the reservation", HOLDER, "registerAndIgnore", { sark: L }, [L, 5, null]],
  ["RAIEK by somebody unknown", UNKNOWN_CLIENT, "registerAndIgnore", { sark: K }, [K, null, "now"]],
  ["RAIEK -> 0", HOLDER, "registerAndIgnore", {}, [0n, 0, null]],
  ["RESERVE", MEMBER, "reserve", { rk: K, type: 5 }, [K, 5, null]],
  ["RESERVE by somebody unknown", UNKNOWN_CLIENT, "reserve", { rk: K, type: 8 }, [K, 8, null]],
  ["RESERVE under a key that was not known", MEMBER, "reserve", { rk: L, type: 1 }, [null, 1, "now"]],
  ["RESERVE of a type that does not exist", MEMBER, "reserve", { rk: K, type: 4 }, [K, null, "now"]],
  ["RELEASE", HOLDER, "release", { rk: K, type: 5 }, [K, 0, null]],
  ["RELEASE by somebody unknown", UNKNOWN_CLIENT, "release", { rk: K, type: 5 }, [null, 0, "now"]],
  ["CLEAR", HOLDER, "clear", { rk: K }, [0n, 0, null]],
  ["PREEMPT", MEMBER, "preempt", { rk: K, sark: L, type: 5 }, [K, null, "now"]],
  ["PREEMPT AND ABORT", MEMBER, "preemptAndAbort", { rk: K, sark: L, type: 5 }, [K, null, "now"]],
  ["PREEMPT of all (SARK 0)", MEMBER, "preempt", { rk: K, type: 7 }, [K, null, "now"]],
  ["PREEMPT of its own key", HOLDER, "preempt", { rk: K, sark: K, type: 1 }, [null, null, "now"]],
  ["REPLACE LOST RESERVATION", STRANGER, "replaceLost", { sark: K, type: 3 }, [K, 3, null]],
];
for (const [name, before, action, fields, [key, type, ask]] of PROVEN) {
  Deno.test(`track(): what a GOOD proves: ${name}`, () => {
    const step = send(before, action, fields, GOOD);
    assert.deepEqual([step.tracked.key, step.tracked.type, step.ask?.when ?? null], [key, type, ask]);
  });
}

Deno.test("track() follows APTPL in register-type commands only", () => {
  assert.equal(send(MEMBER, "register", { rk: K, sark: K, aptpl: true }, GOOD).tracked.aptpl, true);
  assert.equal(send(MEMBER, "reserve", { rk: K, type: 5, aptpl: true }, GOOD).tracked.aptpl, false);
});

Deno.test("track(): REGISTER AND MOVE gives the reservation away, and the registration with UNREG", () => {
  for (const unreg of [false, true]) {
    const transportId = { protocol: "sas", address: "5001405000000001" } as const;
    const list = encodeRegisterAndMove({ rk: K, sark: L, unreg, aptpl: true, relativeTargetPort: 1, transportId });
    const cdb = prOutCdb({ action: "registerAndMove", parameterListLength: list.length });
    const step = track(HOLDER, cdb, list, GOOD);
    assert.deepEqual(step.tracked, { key: unreg ? 0n : K, type: 0, aptpl: true });
    assert.equal(step.ask?.when, "now"); // tgt answers GOOD without moving
  }
});

// The defects of the tracker inside QEMU 11, one by one: each of these went wrong there.
Deno.test("QEMU defect: a REGISTER answered RESERVATION CONFLICT must not overwrite the key", () => {
  assert.equal(send(MEMBER, "register", { rk: L, sark: 7n }, CONFLICT).tracked, MEMBER);
});
Deno.test("QEMU defect: a RESERVE answered RESERVATION CONFLICT must not set the type", () => {
  assert.equal(send(MEMBER, "reserve", { rk: K, type: 5 }, CONFLICT).tracked.type, 0);
});
Deno.test("QEMU defect: a RELEASE answered 05/26/04 must not clear the type", () => {
  const sense = { format: "fixed", deferred: false, key: 5, asc: 0x26, ascq: 4 } as const;
  assert.deepEqual(send(HOLDER, "release", { rk: K, type: 3 }, { kind: "refused", sense }), {
    tracked: HOLDER,
    ask: null,
  });
});
Deno.test("QEMU defect: a CLEAR answered RESERVATION CONFLICT must not forget the key", () => {
  assert.equal(send(HOLDER, "clear", { rk: L }, CONFLICT).tracked, HOLDER);
});
Deno.test("QEMU defect: a unit attention or a host error is no success", () => {
  assert.deepEqual(send(MEMBER, "reserve", { rk: K, type: 5 }, attention(0x3f, 0x0e)), { tracked: MEMBER, ask: null });
  const lost = send(MEMBER, "reserve", { rk: K, type: 5 }, { kind: "unknown", why: "timeout", sense: null });
  assert.equal(lost.tracked, MEMBER);
  assert.equal(lost.ask?.when, "now");
});
Deno.test("QEMU defect: PREEMPT into an all-registrants type must not be recorded as holding nothing", () => {
  const { tracked, ask } = send(MEMBER, "preempt", { rk: K, type: 8 }, GOOD);
  assert.equal(tracked.type, null); // not known is not "nothing"
  assert.equal(ask?.when, "now");
});
Deno.test("QEMU defect: PREEMPT of one's own key must not be taken for still being registered", () => {
  assert.equal(send(MEMBER, "preempt", { rk: K, sark: K, type: 5 }, GOOD).tracked.key, null);
});
Deno.test("QEMU defect: REGISTER AND MOVE must not be ignored", () => {
  const list = new Uint8Array(48);
  new DataView(list.buffer).setBigUint64(0, K);
  list.set([0, 0, 0, 24, 6], 20);
  assert.equal(track(HOLDER, prOutCdb({ action: 7, parameterListLength: 48 }), list, GOOD).tracked.type, 0);
});
Deno.test("QEMU defect: a parameter list of 0 to 23 bytes must not end the process", () => {
  for (let length = 0; length < 24; length++) {
    const cdb = prOutCdb({ action: 0, parameterListLength: length });
    assert.equal(track(MEMBER, cdb, new Uint8Array(length), CONFLICT).tracked, MEMBER);
    const step = track(MEMBER, cdb, new Uint8Array(length), GOOD);
    if (length < 16) assert.deepEqual([step.tracked, step.ask?.when], [MEMBER, "now"]);
  }
});

Deno.test("track(): a conflict with the tracked key contradicts it, with another key it does not", () => {
  assert.equal(send(MEMBER, "reserve", { rk: K, type: 5 }, CONFLICT).ask?.when, "now");
  assert.equal(send(MEMBER, "reserve", { rk: L, type: 5 }, CONFLICT).ask, null);
  assert.equal(send(UNKNOWN_CLIENT, "reserve", { rk: L, type: 5 }, CONFLICT).ask?.when, "now");
});

Deno.test("track(): unit attentions about reservations and resets ask, others do not, none changes anything", () => {
  for (
    const [asc, ascq, asks] of [[0x2a, 3, true], [0x2a, 4, true], [0x2a, 5, true], [0x29, 0, true], [
      0x2a,
      9,
      false,
    ]] as const
  ) {
    const step = send(HOLDER, "register", { rk: K, sark: L }, attention(asc, ascq));
    assert.equal(step.tracked, HOLDER);
    assert.equal(step.ask?.when ?? null, asks ? "now" : null);
  }
});

Deno.test("track(): BUSY and refusals change nothing and ask nothing", () => {
  assert.deepEqual(send(HOLDER, "clear", { rk: K }, { kind: "busy", status: 8, why: "BUSY" }), {
    tracked: HOLDER,
    ask: null,
  });
});

Deno.test("track(): register, reserve, release, unregister: no question has to be asked at once", () => {
  let step: Step = { tracked: UNKNOWN_CLIENT, ask: null };
  const asked: string[] = [];
  const run = (action: PrOutAction, fields: Fields): void => {
    step = send(step.tracked, action, fields, GOOD);
    if (step.ask?.when === "now") asked.push(action);
  };
  run("register", { sark: K });
  run("reserve", { rk: K, type: 5 });
  assert.deepEqual(step.tracked, { key: K, type: 5, aptpl: false });
  run("release", { rk: K, type: 5 });
  run("register", { rk: K });
  assert.deepEqual([step.tracked.key, step.tracked.type, asked], [0n, 0, []]);
});

Deno.test("track() never throws: every service action, length and outcome", () => {
  const outcomes: Outcome[] = [GOOD, CONFLICT, attention(0x2a, 5), { kind: "unknown", why: "x", sense: null }];
  for (let action = 0; action < 32; action++) {
    for (const length of [0, 8, 16, 23, 24, 28, 48]) {
      const list = new Uint8Array(length).fill(0xff);
      for (const outcome of outcomes) {
        for (const before of [UNKNOWN_CLIENT, STRANGER, HOLDER]) track(before, prOutCdb({ action }), list, outcome);
      }
    }
  }
  assert.equal(Object.keys(PR_OUT_ACTION).length, 9);
});
