import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import { preempt, type PreemptPorts } from "../../../lib/migrate/preempt.ts";
import type { PreemptRequest } from "../../../lib/migrate/preempt_step.ts";
import { prOut, type PrOutRequest } from "../../../lib/pr/commands.ts";
import type { Nexus, Reply } from "../../../lib/pr/nexus.ts";
import { isOwn } from "../../../lib/pr/own.ts";
import { patient } from "../../../lib/pr/patient.ts";
import { readState } from "../../../lib/pr/read_state.ts";
import { MemoryLun } from "../../../lib/sim/memory_lun.ts";

const US = 0xaan, THEM = 0xbbn;
const PREEMPT = "5f04";
const LOST: Reply = { status: 0, sense: new Uint8Array(), dataIn: new Uint8Array(), hostStatus: 3 };
const request: PreemptRequest = { device: "lun", key: THEM, type: 5, ownKey: null };

/** A LUN on which `them` holds a reservation under THEM, `friend` shares nothing with it, and `us` is registered. */
async function scene(type: 5 | 8 = 5): Promise<{ lun: MemoryLun; us: Nexus }> {
  const lun = new MemoryLun();
  const send = async (name: string, command: PrOutRequest): Promise<void> => {
    assert.equal((await prOut(lun.nexus(name), command)).status, 0);
  };
  await send("them", { action: "register", rk: 0n, sark: THEM, aptpl: false });
  await send("friend", { action: "register", rk: 0n, sark: 0xccn, aptpl: false });
  await send("us", { action: "register", rk: 0n, sark: US, aptpl: false });
  await send("them", { action: "reserve", rk: THEM, type });
  lun.history.length = 0;
  return { lun, us: lun.nexus("us") };
}

function portsOver(nexus: Nexus): PreemptPorts {
  return {
    nexus: patient(nexus, { sleep: () => Promise.resolve() }),
    isOwn: (registration) => isOwn(registration, nexus.initiator, 1),
    sleep: () => Promise.resolve(),
  };
}

/** The nexus, but its PREEMPT ends as `end` decides. */
function withPreempt(nexus: Nexus, end: (execute: () => Promise<Reply>) => Promise<Reply>): Nexus {
  return {
    address: nexus.address,
    initiator: nexus.initiator,
    execute: (cdb, data) =>
      cdb[0] === 0x5f && cdb[1] === 4 ? end(() => nexus.execute(cdb, data)) : nexus.execute(cdb, data),
    close: () => nexus.close(),
  };
}

function preemptsSent(lun: MemoryLun): number {
  return lun.history.filter(({ cdb }) => cdb.slice(0, 2).toHex() === PREEMPT).length;
}

async function refusal(run: Promise<unknown>, kind: string, message: RegExp): Promise<PrmigError> {
  const error = await run.then(() => assert.fail("it did not fail"), (error) => error);
  assert.ok(error instanceof PrmigError, String(error));
  assert.equal(error.kind, kind, error.message);
  assert.match(error.message, message);
  return error;
}

Deno.test("preempt() takes the reservation with one PREEMPT and leaves bystanders alone", async () => {
  const { lun, us } = await scene();
  const { plan, after } = await preempt(request, portsOver(us));
  assert.equal(plan.takesReservation, true);
  assert.deepEqual(after.registrations.map((r) => r.key).sort(), [US, 0xccn]);
  assert.deepEqual([after.reservation?.key, after.reservation?.type], [US, 5]);
  assert.equal(preemptsSent(lun), 1);
  assert.equal(lun.history.filter(({ cdb }) => cdb[0] === 0x5f).length, 1, "no other PERSISTENT RESERVE OUT");
});

Deno.test("preempt() under an all-registrants type removes the registration and keeps the reservation", async () => {
  const { us } = await scene(8);
  const { plan, after } = await preempt({ ...request, type: 8 }, portsOver(us));
  assert.equal(plan.takesReservation, false);
  assert.equal(after.reservation?.type, 8);
  assert.equal(after.registrations.some((r) => r.key === THEM), false);
});

Deno.test("preempt() sends nothing when it refuses", async () => {
  const { lun, us } = await scene();
  await refusal(preempt({ ...request, key: US }, portsOver(us)), "refused", /key of this nexus itself/);
  await refusal(preempt({ ...request, key: 0x12n }, portsOver(us)), "refused", /nobody is registered/);
  assert.equal(lun.history.some(({ cdb }) => cdb[0] === 0x5f), false);
});

Deno.test("preempt(): the reply is lost but the command was carried out: read from the LUN, not sent again", async () => {
  const { lun, us } = await scene();
  const lossy = withPreempt(us, async (execute) => (await execute(), LOST));
  const { after } = await preempt(request, portsOver(lossy));
  assert.equal(after.reservation?.key, US);
  assert.equal(preemptsSent(lun), 1);
});

Deno.test("preempt(): the reply is lost and the command never arrives: failed, the LUN as it was", async () => {
  const { lun, us } = await scene();
  const error = await refusal(
    preempt(request, portsOver(withPreempt(us, () => Promise.resolve(LOST)))),
    "failed",
    /did not take effect/,
  );
  assert.match(error.facts.lun, /held by 0x00000000000000bb/);
  assert.equal(preemptsSent(lun), 0);
});

Deno.test("preempt(): the reply is lost and the command arrives late: seen all the same", async () => {
  const { us } = await scene();
  let late = (): Promise<unknown> => Promise.resolve();
  const lossy = withPreempt(us, (execute) => (late = execute, Promise.resolve(LOST)));
  let sleeps = 0;
  const ports = { ...portsOver(lossy), sleep: async (): Promise<void> => void (++sleeps === 2 && await late()) };
  assert.equal((await preempt(request, ports)).after.reservation?.key, US);
});

Deno.test("preempt(): neither the reply nor the LUN tells: unsure, exit 5", async () => {
  const { us } = await scene();
  let gone = false;
  const dying: Nexus = {
    address: us.address,
    initiator: us.initiator,
    close: () => us.close(),
    execute: (cdb, data) => {
      if (cdb[0] === 0x5f) return (gone = true, Promise.resolve(LOST));
      return gone ? Promise.resolve(LOST) : us.execute(cdb, data);
    },
  };
  const error = await refusal(preempt(request, portsOver(dying)), "unsure", /Cannot read lun after the PREEMPT/);
  assert.match(error.facts.lun, /may have been carried out/);
  assert.equal(error.exitCode, 5);
});

Deno.test("preempt(): we are fenced between reading and preempting: refused, and what the LUN shows", async () => {
  const { lun, us } = await scene();
  const fenced = withPreempt(us, async (execute) => {
    await prOut(lun.nexus("them"), { action: "preempt", rk: THEM, sark: US, type: 5 });
    const first = await execute(); // REGISTRATIONS PREEMPTED
    assert.equal(first.status, 2);
    return execute();
  });
  const error = await refusal(preempt(request, portsOver(fenced)), "refused", /RESERVATION CONFLICT/);
  assert.doesNotMatch(error.facts.lun, /0x00000000000000aa/);
});

Deno.test("preempt(): carried out, and undone by another before it was read: not called success", async () => {
  const { lun, us } = await scene();
  const raced = withPreempt(us, async (execute) => {
    const reply = await execute();
    await lun.nexus("them").execute(Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0), 8); // takes its unit attention
    await prOut(lun.nexus("them"), { action: "register", rk: 0n, sark: THEM, aptpl: false });
    return reply;
  });
  await refusal(preempt(request, portsOver(raced)), "refused", /somebody has changed the LUN since/);
  assert.equal((await readState(us)).registrations.length, 3);
});
