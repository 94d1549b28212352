/**
 * `prmig snoop` and a LUN that hangs: others are served, who waits behind it is told BUSY, and an end waits for it.
 *
 * The LUN is an LVM-like volume over a multipath map that may use none of its paths for a while: the kernel then holds the
 * command back, as it does while an array fails over.
 *
 * Open: it has not been run to its end in the lab.
 */
import assert from "node:assert/strict";
import { HelperClient } from "../../support/helper_client.ts";
import { linearVolume, loadMultipath, queueingVolume, usePath, withVolume } from "../device_mapper.ts";
import { descriptorsBack, NodeClient, pause, restingDescriptors, type ServingHelper, startSnoop } from "../helpers.ts";
import { labTest, lun } from "../support.ts";

const HANG_MS = 30_000;
const REGISTER = 0, RAIEK = 6;
const GOOD = 0, BUSY = 8;

interface HangingLun {
  /** To be opened by clients. */
  readonly node: string;
  hang(): Promise<void>;
  release(): Promise<void>;
}

async function withHangingLun(body: (sick: HangingLun) => Promise<void>): Promise<void> {
  await loadMultipath();
  const disk = lun(0).nexuses.A.sd;
  const map = queueingVolume("sick", [disk]);
  await withVolume(map, (path) =>
    withVolume(linearVolume("slow", Deno.realPathSync(path)), async (node) => {
      const release = (): Promise<void> => usePath(map, disk, true);
      try {
        await body({ node, release, hang: () => usePath(map, disk, false) });
      } finally {
        await release();
      }
    }));
}

/** A command that was sent, and whether it is still under way. */
function sent(client: NodeClient, action: "prIn" | "prOut"): { status: Promise<number>; answered: () => boolean } {
  let answered = false;
  const reply = action === "prIn" ? client.prIn(0) : client.prOut(REGISTER, 0n, 0x11n);
  const status = reply.then(({ status }) => (answered = true, status));
  return { status, answered: () => answered };
}

/** Three reads and a registration that all hang, each of a client of its own. */
async function fourHanging(helper: ServingHelper, node: string): Promise<(ReturnType<typeof sent> & Disposable)[]> {
  const list = [];
  for (const action of ["prOut", "prIn", "prIn", "prIn"] as const) {
    const client = await NodeClient.open(helper.socket, node);
    list.push({ ...sent(client, action), [Symbol.dispose]: () => client[Symbol.dispose]() });
  }
  return list;
}

labTest(`commands that hang for ${HANG_MS / 1000} s on one LUN delay none of another's, nor a greeting`, async () => {
  const helper = await startSnoop({ args: ["-q"] });
  try {
    await withHangingLun(async (sick) => {
      using well = await NodeClient.open(helper.socket, lun(1).nexuses.A.sd);
      assert.equal((await well.prOut(RAIEK, 0n, 0x22n)).status, GOOD);
      const before = await restingDescriptors(helper);
      {
        await sick.hang();
        const hanging = await fourHanging(helper, sick.node);
        using behind = await NodeClient.open(helper.socket, sick.node);
        using writer = await NodeClient.open(helper.socket, sick.node);
        const late = [sent(behind, "prIn"), sent(writer, "prOut")];
        {
          using gone = await NodeClient.open(helper.socket, sick.node);
          gone.client.send(Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0), gone.descriptor);
        }
        let served = 0, slowest = 0;
        for (const until = Date.now() + HANG_MS; Date.now() < until; served++) {
          const started = performance.now();
          assert.equal((await well.prIn(served % 4)).status, GOOD);
          assert.equal((await well.prOut(REGISTER, 0x22n, 0x22n)).status, GOOD);
          (await HelperClient.greeted(helper.socket, 60_000)).close();
          slowest = Math.max(slowest, performance.now() - started);
          assert.ok(hanging.every(({ answered }) => !answered()), "the others hang all the while");
        }
        assert.ok(served > 20, `only ${served} rounds in ${HANG_MS} ms`);
        console.log(`${served} rounds beside four hanging commands, the slowest ${Math.round(slowest)} ms`);
        for (const { status } of late) assert.equal(await status, BUSY, "nobody waits behind a sick LUN");
        await sick.release();
        for (const { status } of hanging) assert.equal(await status, GOOD);
        hanging.forEach((each) => each[Symbol.dispose]());
      }
      await descriptorsBack(helper, before);
    });
  } finally {
    assert.equal((await helper.stop()).code, 0);
  }
});

labTest("SIGTERM while a command hangs: idle clients go, the command is answered, then the helper ends", async () => {
  const helper = await startSnoop({ args: ["-q"] });
  let ended = false;
  void helper.process.finished.then(() => ended = true);
  await withHangingLun(async (sick) => {
    using idle = await NodeClient.open(helper.socket, lun(1).nexuses.A.sd);
    using client = await NodeClient.open(helper.socket, sick.node);
    assert.equal((await client.prIn(0)).status, GOOD);
    await sick.hang();
    const command = sent(client, "prIn");
    await pause(100);
    assert.equal((await idle.prIn(0)).status, GOOD); // sent after the other, so the other has been read
    helper.process.kill("SIGTERM");
    assert.ok(await idle.client.closed());
    assert.deepEqual([command.answered(), ended], [false, false]);
    await sick.release();
    assert.equal(await command.status, GOOD);
    assert.ok(await client.client.closed());
    assert.equal((await helper.process.finished).code, 0);
  });
});
