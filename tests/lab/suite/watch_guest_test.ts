/**
 * `prmig watch` beside a guest whose LUNs are passed through (QEMU, scsi-block): what the guest sends is told once, with its
 * keys, whether QEMU sends it itself, qemu-pr-helper does, or `prmig snoop`.
 */
import assert from "node:assert/strict";
import { startGuest, startPrHelper } from "../guest/guest.ts";
import { startSnoop } from "../helpers.ts";
import { lun } from "../support.ts";
import { commands, hexKey, startWatch, watchTest } from "../watching.ts";

const K = 0xbeefn;

watchTest("a guest's commands are told once, with keys: sent by QEMU, by qemu-pr-helper, by prmig snoop", async () => {
  const { A, B, C } = lun(0).nexuses;
  const other = lun(1).nexuses;
  await using stock = await startPrHelper("watched");
  const ours = await startSnoop();
  await using _ended = { [Symbol.asyncDispose]: async () => void await ours.stop() };
  await using guest = await startGuest({
    name: "watched",
    disks: [{ device: other.A.sd }, { device: A.sd, helper: stock.socket }, { device: B.sd, helper: ours.socket }],
    boot: "saved",
  });
  await guest.findDisks();
  const watching = await startWatch(["--poll", "0", C.sd, other.C.sd], { witnesses: 3 });
  for (const [disk, key] of [K, K + 1n, K + 2n].entries()) {
    for (const words of [`0 0 0 ${hexKey(key)}`, `1 5 ${hexKey(key)} 0`]) {
      await guest.console.run(`guest pr-out /dev/sg${disk} ${words}`);
    }
  }
  const told = await watching.until("six commands", (now) => commands(now).length >= 6, 90_000);
  const pair = (sd: string, key: bigint, reserved: string): string[] => [
    `${sd} REGISTER ${hexKey(0n)} ${hexKey(key)} GOOD`,
    `${sd} RESERVE ${hexKey(key)} null ${reserved}`,
  ];
  assert.deepEqual(commands(told), [
    ...pair(other.A.sd, K, "GOOD"),
    ...pair(A.sd, K + 1n, "GOOD"),
    ...pair(B.sd, K + 2n, "RESERVATION CONFLICT"),
  ]);
  const witnesses = told.filter(({ event }) => event === "prOut").map(({ source }) => source);
  assert.deepEqual(witnesses, ["kernel", "kernel", "kernel", "kernel", "helper", "helper"]);
  await watching.stop();
  assert.equal(commands(watching.told()).length, 6, "told once");
});
