/**
 * Hostile clients on a real LUN: the helper serves the others all the while, and gives back every descriptor and all memory.
 * 20,000 streams against the server within one process are tests/property/snoop_hostile_test.ts; here it is the program.
 */
import assert from "node:assert/strict";
import { closeFd, O_NONBLOCK, O_RDONLY, O_RDWR, openFd } from "../../../lib/sys/fd.ts";
import { dice } from "../../support/dice.ts";
import { HelperClient } from "../../support/helper_client.ts";
import { attack } from "../../support/hostile_streams.ts";
import { descriptorsBack, NodeClient, restingDescriptors, type ServingHelper, startSnoop } from "../helpers.ts";
import { labTest, lun } from "../support.ts";

const STREAMS = 2_000, AT_ONCE = 50, SEED = 4;
const CROWD = 500;
/** What a heap may swing by between two looks; a leak of 1 KiB a stream would be 2 MB at each half, a descriptor more. */
const MEMORY_SWING = 24 * 1024;
const CDB = Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);

/** Resident memory in KiB. */
function memory({ process }: ServingHelper): number {
  return Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${process.pid}/status`))![1]);
}

/** All that the protocol forbids, and leaving at every point. */
function rude(node: number, none: number): readonly [string, (client: HelperClient) => void][] {
  return [
    ["no descriptor", (client) => client.write(CDB)],
    ["two descriptors", (client) => client.write(CDB, [node, node])],
    ["no SCSI device", (client) => client.write(CDB, [none])],
    ["no PR", (client) => client.write(CDB.with(0, 0x12), [node])],
    ["too long", (client) => client.write(CDB.with(7, 0x20).with(8, 1), [node])],
    ["half a CDB", (client) => client.write(CDB.subarray(0, 7), [node])],
    ["half a list", (client) => {
      client.write(CDB.with(0, 0x5f).with(7, 0).with(8, 24), [node]);
      client.write(new Uint8Array(11));
    }],
    ["a command in flight", (client) => client.write(CDB, [node])],
  ];
}

labTest(
  `hostile clients on a real LUN: ${STREAMS} random streams (seed ${SEED}), scripted ones, ${CROWD} at once`,
  async () => {
    const { sd } = lun().nexuses.A;
    const helper = await startSnoop({ args: ["-q"] });
    const nodes = await Promise.all([
      openFd(sd, O_RDWR | O_NONBLOCK),
      openFd(sd, O_RDONLY | O_NONBLOCK),
      openFd("/dev/null", O_RDWR),
      openFd("/proc/self/stat", O_RDONLY),
    ]);
    try {
      using guest = await NodeClient.open(helper.socket, sd);
      const served = async (): Promise<void> => assert.equal((await guest.prIn(0)).status, 0);
      await served();
      const before = await restingDescriptors(helper);

      const silent: HelperClient[] = []; // half a message, and then nothing for as long as the test goes on
      for (let round = 0; round < 20; round++) {
        for (const [, act] of rude(nodes[0], nodes[2])) {
          const client = await HelperClient.greeted(helper.socket, 60_000);
          act(client);
          if (round === 0) silent.push(client);
          else client.close();
        }
        await served();
      }
      silent.forEach((client) => client.close());
      await descriptorsBack(helper, before);

      const crowd = await Promise.all(
        Array.from({ length: CROWD }, () => HelperClient.greeted(helper.socket, 120_000)),
      );
      await served();
      const last = crowd.at(-1)!;
      assert.equal((await last.command(CDB, nodes[0])).status, 0, "the last of the crowd is served as well");
      crowd.forEach((client) => client.close());
      await descriptorsBack(helper, before);

      const roll = dice(SEED);
      let half = 0;
      for (let done = 0; done < STREAMS; done += AT_ONCE) {
        if (done === STREAMS / 2) half = memory(helper);
        await Promise.all(Array.from({ length: AT_ONCE }, () => attack(helper.socket, roll, nodes)));
        if (done % 500 === 0) await served();
      }
      await served();
      await descriptorsBack(helper, before);
      const grown = memory(helper) - half;
      assert.ok(grown < MEMORY_SWING, `${grown} KiB more after the second half of the streams`);
      console.log(
        `${before} descriptors before and after; memory ${half} KiB at half time, ${grown} KiB more at the end`,
      );
    } finally {
      nodes.forEach(closeFd);
      assert.equal((await helper.stop()).code, 0);
    }
  },
);
