/**
 * `prmig migrate` when things fail: four ways, each ending with the guest counting on one side, which is the one that holds.
 * All of the matrix is in tests/unit/migrate/vm/, on simulated QEMUs.
 */
import assert from "node:assert/strict";
import type { Guest } from "../guest/guest.ts";
import { assertCounted, Journey, whoHolds } from "../migrating.ts";
import { QmpProxy } from "../qmp_proxy.ts";
import { labTest, prmig } from "../support.ts";

/** The guest counts on where it was, and that host holds. */
async function assertStayed(journey: Journey): Promise<void> {
  await journey.here.console.moreTicks(3);
  assertCounted(journey.here.console.ticks());
  assert.equal(await whoHolds(), `${journey.at}=beef*`);
}

/** `migrate` with a proxy before the destination's monitor. */
function monitor(destination: Guest, proxy?: QmpProxy): string[] {
  return ["--dst-qmp", `unix:${proxy?.path ?? destination.qmpSocket}`, "--timeout", "20s"];
}

labTest("failures under type 5, gate paused", async (t) => {
  await using journey = await Journey.begin([5]);

  await t.step("the destination QEMU is killed before the gate: exit 1, the guest stays", async () => {
    const destination = await journey.destination();
    const from = journey.here.qmp.events.length;
    const process = journey.prmig(destination, monitor(destination));
    await journey.here.qmp.event(({ data }) => data.status === "active", 60_000, from);
    await destination.kill();
    const { code, stderr } = await process.finished;
    assert.equal(code, 1, stderr);
    await assertStayed(journey);
  });

  await t.step("somebody cancels the migration: exit 1, the guest stays", async () => {
    const destination = await journey.destination();
    const from = journey.here.qmp.events.length;
    const process = journey.prmig(destination, monitor(destination));
    await journey.here.qmp.event(({ data }) => data.status === "active", 60_000, from);
    await journey.here.qmp.execute("migrate_cancel");
    const { code, stderr } = await process.finished;
    assert.equal(code, 1, stderr);
    await assertStayed(journey);
  });

  await t.step(
    "the destination QEMU is killed after take, before it runs: exit 5, and the remedy it names works",
    async () => {
      const destination = await journey.destination();
      using proxy = QmpProxy.before(destination.qmpSocket, async (command) => {
        if (command !== "cont") return true;
        await destination.kill();
        return false;
      });
      const { code, stderr } = await journey.prmig(destination, monitor(destination, proxy)).finished;
      assert.equal(code, 5, stderr);
      assert.match(stderr, /if the guest never ran there: prmig rollback/);
      assert.equal(await whoHolds(), `${journey.elsewhere}=beef*`);
      const name = [...Deno.readDirSync("/var/lib/prmig/guest")].find((file) => file.name.endsWith(".json"))!.name;
      const rollback = await prmig(["rollback", name.replace(".json", "")]);
      assert.equal(rollback.code, 0, rollback.stderr);
      await journey.here.qmp.execute("cont");
      await assertStayed(journey);
      await Deno.remove(`/var/lib/prmig/guest/${name}`);
    },
  );

  await t.step("prmig is killed after take: recover lets the guest run at the destination", async () => {
    const destination = await journey.destination();
    const killed = Promise.withResolvers<void>();
    using proxy = QmpProxy.before(destination.qmpSocket, (command) => {
      if (command !== "cont") return true;
      process.kill("SIGKILL");
      killed.resolve();
      return false;
    });
    const process = journey.prmig(destination, monitor(destination, proxy));
    await Promise.all([killed.promise, process.finished]);
    proxy[Symbol.dispose]();
    const entry = [...Deno.readDirSync("/var/lib/prmig/guest")].find((file) => file.name.endsWith(".json"))!.name;
    // The proxy has gone with prmig; what recover is to reach is QEMU's own socket.
    const path = `/var/lib/prmig/guest/${entry}`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replaceAll(proxy.path, destination.qmpSocket));
    const recovered = await prmig(["recover", "--timeout", "20s"]);
    assert.equal(recovered.code, 0, recovered.stderr);
    assert.match(recovered.stdout, /the guest runs on the destination/);
    await journey.arrivedIn(destination);
    assert.equal(await whoHolds(), `${journey.at}=beef*`);
  });
});
