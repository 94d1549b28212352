/**
 * The nested guest: what the tests of snoop and migrate take for granted.
 */
import assert from "node:assert/strict";
import { startGuest, startPrHelper } from "../guest/guest.ts";
import { labTest, lun, readState } from "../support.ts";

const KEY = 0xbeefn;

labTest("a guest from the saved state registers, reserves and writes through nexus A and its pr-helper", async () => {
  const { A } = lun().nexuses;
  await using helper = await startPrHelper("src");
  await using guest = await startGuest({
    name: "src",
    disks: [{ device: A.sd, helper: helper.socket }],
    boot: "saved",
  });
  await guest.findDisks();
  const good = { code: 0, output: "status=0x00 sense=0/00/00" };
  assert.deepEqual(await guest.console.run("guest pr-out /dev/sg0 0 0 0 0xbeef"), good);
  assert.deepEqual(await guest.console.run("guest pr-out /dev/sg0 1 5 0xbeef 0"), good);
  const { registrants, reservation } = await readState(A);
  assert.deepEqual(reservation, { key: KEY, type: 5 });
  assert.deepEqual(registrants.map(({ key, initiatorPort }) => ({ key, initiatorPort })), [
    { key: KEY, initiatorPort: A.initiatorPort },
  ]);
  await guest.console.send("guest tick /dev/sda 0 &");
  const ticks = await guest.console.moreTicks(5);
  assert.deepEqual(
    ticks.map(({ counter, ok }) => ({ counter, ok })),
    [1, 2, 3, 4, 5].map((counter) => ({
      counter,
      ok: true,
    })),
  );
});
