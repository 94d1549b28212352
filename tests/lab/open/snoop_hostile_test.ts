/**
 * Open: the helper's descriptors did not return to their number within 20 s. The same clients against the server within
 * one process (tests/property/snoop_hostile_test.ts) leak none.
 */
import assert from "node:assert/strict";
import { HelperClient } from "../../support/helper_client.ts";
import { eventually, NodeClient, pause, startSnoop } from "../helpers.ts";
import { labTest, lun } from "../support.ts";

labTest("hostile clients on a real LUN: served all the while, none of the helper's descriptors leaks", async () => {
  const { A } = lun().nexuses;
  const helper = await startSnoop({ args: ["-q"] });
  const count = (): number => [...Deno.readDirSync(`/proc/${helper.process.pid}/fd`)].length;
  const cdb = Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  try {
    using guest = await NodeClient.open(helper.socket, A.sd);
    await guest.prIn(0);
    await pause(200);
    const before = count();
    const opcode = cdb.with(0, 0x12), tooLong = cdb.with(7, 0x20).with(8, 1);
    const rude: ((client: HelperClient) => void)[] = [
      (client) => client.write(cdb),
      (client) => client.write(cdb, [guest.descriptor, guest.descriptor]),
      (client) => client.write(opcode, [guest.descriptor]),
      (client) => client.write(tooLong, [guest.descriptor]),
      (client) => client.write(cdb.subarray(0, 7), [guest.descriptor]),
      (client) => client.write(cdb, [guest.descriptor]), // and gone with the command in flight
    ];
    for (let round = 0; round < 20; round++) {
      for (const act of rude) {
        using client = await HelperClient.greeted(helper.socket, 20_000);
        act(client);
      }
    }
    const crowd = await Promise.all(Array.from({ length: 500 }, () => HelperClient.greeted(helper.socket, 60_000)));
    assert.equal((await guest.prIn(0)).status, 0);
    crowd.forEach((client) => client.close());
    assert.equal((await guest.prIn(0)).status, 0);
    await eventually("no descriptor left", () => count() === before);
  } finally {
    assert.equal((await helper.stop()).code, 0);
  }
});
