/**
 * `prmig snoop` behind an unmodified QEMU: what the guest does is known, and a helper that is killed is not missed.
 */
import assert from "node:assert/strict";
import { startGuest } from "../guest/guest.ts";
import { eventually, startSnoop } from "../helpers.ts";
import { labTest, lun, prmig, readState } from "../support.ts";
import { lunFile, readLun } from "../../../lib/snoop/state.ts";

interface Dumped {
  readonly reservation: { readonly key: string; readonly type: number } | null;
  readonly snooped: { readonly key: string; readonly type: number; readonly agrees: boolean } | null;
}

async function dump(device: string): Promise<Dumped> {
  const { code, stdout, stderr } = await prmig(["dump", "--json", device]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

labTest(
  "a guest under QEMU registers and reserves; the helper dies in between, and dump agrees with the LUN",
  async () => {
    const { designator, nexuses: { A, B } } = lun();
    const first = await startSnoop();
    await using guest = await startGuest({
      name: "snooped",
      disks: [{ device: A.sd, helper: first.socket }],
      boot: "saved",
    });
    await guest.findDisks();
    const prOut = async (words: string): Promise<string> =>
      (await guest.console.run(`guest pr-out /dev/sg0 ${words}`)).output;
    const known = (): { key: bigint | null; type: number | null } | undefined =>
      readLun(lunFile("/run/prmig", designator))?.nexuses.find(({ nexusId }) => nexusId === A.hctl);

    const connected = (): unknown[] =>
      guest.qmp.events.filter(({ event }) => event === "PR_MANAGER_STATUS_CHANGED").map(({ data }) => data.connected);
    /** QEMU has noticed that the helper was gone, and that one is there again. */
    const noticed = async (since: number): Promise<void> => {
      await eventually("QEMU told that it is connected again", () => connected().slice(since).includes(true));
      assert.deepEqual(connected().slice(since), [false, true]);
    };

    assert.match(await prOut("0 0 0 0xbeef"), /status=0x00/);
    await eventually("the registration is on disk", () => known()?.key === 0xbeefn);
    const beforeKill = connected().length;
    await first.kill();
    const second = await startSnoop({ socket: first.socket });
    try {
      assert.match(await prOut("1 5 0xbeef 0"), /status=0x00/, "QEMU connects again by itself");
      await noticed(beforeKill);
      await eventually("the reservation is on disk", () => known()?.type === 5);
      assert.deepEqual((await readState(B)).reservation, { key: 0xbeefn, type: 5 });
      const seen = await dump(A.sg);
      assert.deepEqual(seen.snooped && [seen.snooped.key, seen.snooped.type, seen.snooped.agrees], [
        "0x000000000000beef",
        5,
        true,
      ]);
      assert.deepEqual(seen.reservation && [seen.reservation.key, seen.reservation.type], ["0x000000000000beef", 5]);
      assert.equal((await dump(B.sg)).snooped, null, "another nexus of the same LUN");

      const capabilities = (await guest.console.run("guest pr-in /dev/sg0 2")).output;
      const bytes = /(?:^|\s)((?:[0-9a-f]{2}\s*){8})/m.exec(capabilities.replace(/status=\S+ sense=\S+/, ""))?.[1];
      assert.ok(bytes, capabilities);
      assert.equal(parseInt(bytes.replaceAll(/\s/g, "").slice(4, 6), 16) & 0x0c, 0, "masked for the guest");

      const beforeStop = connected().length;
      await second.stop();
      const third = await startSnoop({ socket: first.socket });
      try {
        assert.match(await prOut("2 5 0xbeef 0"), /status=0x00/, "and after an orderly restart");
        await noticed(beforeStop);
        await eventually("the release is on disk", () => known()?.type === 0);
      } finally {
        await third.stop();
      }
    } finally {
      await second.stop();
    }
  },
);
