/**
 * `prmig watch` beside helpers: a guest's command is told once, with its exact keys, whichever helper executes it.
 */
import assert from "node:assert/strict";
import { NodeClient, startSnoop, startStock } from "../helpers.ts";
import { lun, register } from "../support.ts";
import { commands, hexKey, sleep, startWatch, watchTest } from "../watching.ts";

const K = 0xbeefn;

watchTest("what prmig snoop executes is told once, by the helper, in order with what others send", async () => {
  const { A, B, C } = lun().nexuses;
  const helper = await startSnoop();
  const watching = await startWatch(["--poll", "0", C.sd]);
  {
    using guest = await NodeClient.open(helper.socket, A.sd);
    await guest.prOut(0, 0n, K);
    await register(B, K + 1n);
    await guest.prOut(1, K, 0n, 5);
    await guest.prOut(1, K + 7n, 0n, 5);
  }
  await watching.until("four commands", (now) => commands(now).length >= 4);
  await sleep(1000); // a twin would come by now
  const told = watching.told().filter(({ event }) => event === "prOut");
  assert.deepEqual(told.map((t) => [t.source, t.serviceAction, t.key, t.newKey, t.type, t.status]), [
    ["helper", "REGISTER", hexKey(0n), hexKey(K), null, "GOOD"],
    ["kernel", "REGISTER AND IGNORE EXISTING KEY", hexKey(0n), hexKey(K + 1n), null, "GOOD"],
    ["helper", "RESERVE", hexKey(K), null, 5, "GOOD"],
    ["helper", "RESERVE", hexKey(K + 7n), null, 5, "RESERVATION CONFLICT"],
  ]);
  assert.equal(told[0]!.pid, Deno.pid, "the guest's process, not the helper's");
  await helper.stop();
  await watching.stop();
});

watchTest(
  "what the stock helper executes is seen by the kernel, with keys, though its CDBs have 16 bytes",
  async () => {
    const { A, C } = lun().nexuses;
    const helper = await startStock();
    const watching = await startWatch(["--poll", "0", C.sd]);
    {
      using guest = await NodeClient.open(helper.socket, A.sd);
      await guest.prOut(0, 0n, K);
      await guest.prOut(1, K, 0n, 8);
    }
    const told = await watching.until("two commands", (now) => commands(now).length >= 2);
    assert.deepEqual(commands(told), [
      `${A.sd} REGISTER ${hexKey(0n)} ${hexKey(K)} GOOD`,
      `${A.sd} RESERVE ${hexKey(K)} null GOOD`,
    ]);
    for (const { event, program } of told) {
      if (event === "prOut") assert.match(program ?? "qemu-pr-helper", /^qemu-pr-helper$/); // or a name the kernel forgot
    }
    await helper.kill();
    await watching.stop();
  },
);
