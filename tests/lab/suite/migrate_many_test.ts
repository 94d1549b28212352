/**
 * `prmig migrate` of a guest with three disks: it holds one, is registered with another, and has nothing on the third; and
 * what `dump` and `watch` tell of it meanwhile.
 */
import assert from "node:assert/strict";
import { extraLuns } from "../init/luns.ts";
import { Journey, whileMemoryHolds, whoHolds } from "../migrating.ts";
import { QmpProxy } from "../qmp_proxy.ts";
import { lun, prmig, readState } from "../support.ts";
import { commands, hexKey, startWatch, watchTest } from "../watching.ts";

const KEY = hexKey(0xbeefn);
const TOKEN = /0x70726d67[0-9a-f]{8}/; // "prmg"

watchTest(
  "three disks: what is reserved and what is registered moves, the third is named; dump and watch tell it",
  async () => {
    const extra = await extraLuns(1);
    try {
      await whileMemoryHolds(async () => {
        await using journey = await Journey.begin([5, 0, null], extra.luns);
        const { B, C } = lun().nexuses;
        const watch = await startWatch([C.sg], { witnesses: 1 });
        await using _ = { [Symbol.asyncDispose]: async () => void await watch.stop() };
        const destination = await journey.destination({ paused: true });
        // The guest stands still on both sides, its LUNs are taken, and it does not run yet.
        let dumped = "";
        using proxy = QmpProxy.before(destination.qmpSocket, async (command) => {
          if (command === "cont") dumped = (await prmig(["dump", "--json", C.sg])).stdout;
          return true;
        });
        const { code, stdout, stderr } = await journey.prmig(destination, [
          ...["--json", "--timeout", "60s", "--dst-qmp", `unix:${proxy.path}`],
        ]).finished;
        assert.equal(code, 0, stderr);
        const told = JSON.parse(stdout);
        assert.deepEqual([told.outcome, told.gate, told.handOver.luns.length], ["moved", "paused", 2]);
        assert.deepEqual(told.skipped.map(({ qdev }: { qdev: string }) => qdev), ["scsi2"]);
        await journey.arrivedIn(destination);
        assert.deepEqual([await whoHolds(0), await whoHolds(1)], ["B=beef*", "B=beef"]);
        assert.deepEqual((await readState(extra.luns[0]!.nexuses.A)).registrants, []);

        const { reservation, registrations } = JSON.parse(dumped);
        assert.deepEqual([reservation.key, reservation.type], [KEY, 5]);
        assert.deepEqual(
          registrations.map(({ key, holder, relativeTargetPort }: Record<string, unknown>) => [
            key,
            holder,
            relativeTargetPort,
          ]),
          [[KEY, true, (await readState(B)).registrants[0]!.relativeTargetPort]],
        );

        // The three commands of a hand-over, in order, whoever sent them: prepare, commit, take.
        const events = await watch.until("the take", (now) => commands(now).some((line) => line.includes("PREEMPT")));
        const seen = commands(events).map((line) => line.replaceAll(new RegExp(TOKEN, "g"), "TOKEN").toLowerCase());
        const none = hexKey(0n);
        assert.deepEqual(seen.map((line) => line.split(" ").slice(1)), [
          ["register", none, KEY, "good"],
          ["register", KEY, "token", "good"],
          ["preempt", KEY, "token", "good"],
        ]);
        assert.equal((await watch.stop()).code, 130);
      });
    } finally {
      await extra.remove();
    }
  },
);
