/** PERSISTENT RESERVE IN of the simulated LUN, cut at every length, as the standard and known targets cut it. */
import assert from "node:assert/strict";
import { toHex } from "../../../lib/bytes.ts";
import { prInCdb } from "../../../lib/pr/cdb.ts";
import { decodeFullStatus } from "../../../lib/pr/full_status.ts";
import { LIO, type Profile, SCST, SPC4, TGT } from "../../../lib/pr/sim/profile.ts";
import { answerOf, Driver } from "../../support/sim.ts";

function threeRegistered(profile: Profile = SPC4): Driver {
  const lun = new Driver(profile);
  for (const [i, nexus] of ["a", "b", "c"].entries()) lun.register(nexus, 0n, BigInt(i + 1));
  lun.reserve("b", 2n, 7);
  return lun;
}

function read(lun: Driver, action: number, room: number): { answer: string; data: Uint8Array } {
  const outcome = lun.send("a", toHex(prInCdb(action, room)), room);
  return { answer: answerOf(outcome), data: outcome.dataIn };
}

for (let action = 0; action < 4; action++) {
  Deno.test(`service action ${action}: cut at any length, the beginning is that of the whole`, () => {
    const lun = threeRegistered();
    const whole = read(lun, action, 8192).data;
    for (let room = 0; room <= whole.length + 1; room++) {
      const { answer, data } = read(lun, action, room);
      assert.equal(answer, "good");
      assert.deepEqual(data, whole.slice(0, room));
    }
  });
}

Deno.test("the room of the transport counts where it is less than ALLOCATION LENGTH", () => {
  const lun = threeRegistered();
  assert.equal(lun.send("a", toHex(prInCdb("readKeys", 8192)), 12).dataIn.length, 12);
});

const SHORT: readonly (readonly [Profile, keys: string, capabilities: string])[] = [
  [SPC4, "good 7", "good 5"],
  [LIO, "05/24/00 0", "05/24/00 0"],
  [SCST, "good 0", "good 0"],
  [TGT, "05/24/00 0", "05/24/00 0"],
];
for (const [profile, keys, capabilities] of SHORT) {
  Deno.test(`${profile.name} with room for less than a header: ${keys}`, () => {
    const lun = threeRegistered(profile);
    const show = ({ answer, data }: ReturnType<typeof read>): string => `${answer} ${data.length}`;
    assert.equal(show(read(lun, 0, 7)), keys);
    assert.equal(show(read(lun, 2, 5)), capabilities);
  });
}

Deno.test("LIO delivers whole descriptors only, and says that was all", () => {
  const lun = threeRegistered(LIO);
  const whole = read(lun, 3, 8192).data;
  const cut = read(lun, 3, whole.length - 1).data;
  const status = decodeFullStatus(cut);
  assert.equal(status.kind, "complete");
  assert.deepEqual(status.registrations.map(({ key }) => key), [1n, 2n]);
  assert.equal(decodeFullStatus(read(lun, 3, 8).data).registrations.length, 0);
});

Deno.test("tgt has no READ FULL STATUS; nobody has service actions beyond it", () => {
  assert.equal(read(threeRegistered(TGT), 3, 8192).answer, "05/24/00");
  for (const action of [4, 0x1f]) assert.equal(read(threeRegistered(), action, 8192).answer, "05/24/00");
});

const CAPABILITIES: readonly (readonly [Profile, string])[] = [
  [SPC4, "00089db0ea010000"],
  [LIO, "00081d90ea010000"],
  [SCST, "00081dc0ea010000"],
  [TGT, "00080080ea010000"],
];
for (const [profile, bytes] of CAPABILITIES) {
  Deno.test(`REPORT CAPABILITIES of ${profile.name} is ${bytes}`, () => {
    const lun = new Driver(profile);
    assert.equal(toHex(read(lun, 2, 8).data), bytes);
    if (!profile.ptpl) return;
    lun.register("a", 0n, 1n, { aptpl: true });
    assert.equal(read(lun, 2, 8).data[3], Number(`0x${bytes.slice(6, 8)}`) | 1);
  });
}

Deno.test("READ RESERVATION shows key 0 while all registrants hold, and every descriptor R_HOLDER", () => {
  const lun = threeRegistered();
  assert.equal(toHex(read(lun, 1, 24).data), "00000003000000100000000000000000000000000007" + "0000");
  const { registrations } = decodeFullStatus(read(lun, 3, 8192).data);
  assert.deepEqual(registrations.map(({ held }) => held), Array(3).fill({ scope: 0, type: 7 }));
});

Deno.test("READ FULL STATUS names initiators and ports", () => {
  const lun = new Driver();
  lun.register("a", 0n, 1n);
  lun.register("a#2", 0n, 2n);
  const { registrations } = decodeFullStatus(read(lun, 3, 8192).data);
  const address = "iqn.2026-01.net.example.prmig:a";
  assert.deepEqual(registrations.map((each) => [each.key, each.relativeTargetPort, each.transportId, each.holder]), [
    [1n, 1, { protocol: "iscsi", address }, false],
    [2n, 2, { protocol: "iscsi", address }, false],
  ]);
});
