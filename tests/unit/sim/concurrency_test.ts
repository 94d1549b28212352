/** Two processes and one simulated LUN: nothing is lost, nothing is torn, nobody waits for the dead. */
import assert from "node:assert/strict";
import { createSimLun, openSimNexus, readSimLun } from "../../../lib/sim/open.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import { SimProcess } from "../../support/sim_process.ts";

Deno.test("two processes share a simulated LUN", async (t) => {
  const directory = await Deno.makeTempDir();
  await using p = new SimProcess();
  await using q = new SimProcess();
  let number = 0;
  const newFile = async (): Promise<string> => {
    const file = `${directory}/${number++}.json`;
    await createSimLun(file);
    return file;
  };
  const firstBlock = async (file: string): Promise<number> => parseInt((await readSimLun(file)).medium["0"] ?? "0", 16);

  await t.step("every REGISTER of either is counted", async () => {
    const file = await newFile();
    assert.deepEqual(await Promise.all([p.do("rekey", file, "p", 150), q.do("rekey", file, "q", 150)]), [150, 150]);
    assert.equal((await readSimLun(file)).generation, 300);
  });

  await t.step("the same nexus from two processes is counted, too", async () => {
    const file = await newFile();
    await Promise.all([p.do("rekey", file, "x", 100), q.do("rekey", file, "x", 100)]);
    const { generation, registrations } = await readSimLun(file);
    assert.deepEqual([generation, registrations.length], [200, 1]);
  });

  await t.step("COMPARE AND WRITE adds up", async () => {
    const file = await newFile();
    const lost = await Promise.all([p.do("increment", file, "p", 60), q.do("increment", file, "q", 60)]);
    assert.equal(await firstBlock(file), 120);
    assert.ok(lost.every((times) => typeof times === "number"));
  });

  await t.step("of two who RESERVE at once one gets it", async () => {
    for (let round = 0; round < 10; round++) {
      const file = await newFile();
      const statuses = await Promise.all([p.do("reserve", file, "p", 1), q.do("reserve", file, "q", 2)]);
      assert.deepEqual(statuses.toSorted(), [0x00, 0x18]);
      const { reservation } = await readSimLun(file);
      assert.equal(reservation?.holder, statuses[0] === 0 ? "p" : "q");
    }
  });

  await t.step("of two who PREEMPT each other one is left", async () => {
    for (let round = 0; round < 10; round++) {
      const file = await newFile();
      await p.do("reserve", file, "p", 1);
      await q.do("reserve", file, "q", 2);
      const statuses = await Promise.all([p.do("preempt", file, "p", 1), q.do("preempt", file, "q", 2)]);
      assert.deepEqual(statuses.toSorted(), [0x00, 0x18]);
      assert.deepEqual((await readSimLun(file)).registrations.map(({ nexus }) => nexus), [
        statuses[0] === 0 ? "p" : "q",
      ]);
    }
  });

  await t.step("a unit attention is told once, whichever process asks", async () => {
    const file = await newFile();
    const other = await openSimNexus(`sim:${file}?nexus=other`);
    await p.do("rekey", file, "x", 1);
    await prOut(other, { action: "registerAndIgnore", sark: 9n, aptpl: false });
    await prOut(other, { action: "clear", rk: 9n });
    other.close();
    const told = await Promise.all([p.do("listen", file, "x", 20), q.do("listen", file, "x", 20)]);
    assert.equal(Number(told[0]) + Number(told[1]), 1);
  });

  await t.step("CLEAR and REGISTER in a race leave a sound LUN", async () => {
    const file = await newFile();
    await Promise.all([p.do("clear", file, "p", 40), q.do("rekey", file, "q", 80)]);
    const { registrations } = await readSimLun(file);
    assert.ok(registrations.every(({ nexus }) => nexus === "q"));
  });

  await t.step("a reader never meets half a file, and time does not go back", async () => {
    const file = await newFile();
    assert.deepEqual(await Promise.all([q.do("watch", file, "-", 200), p.do("rekey", file, "p", 150)]), [0, 150]);
  });

  await t.step("of two who create the same LUN both get the same one", async () => {
    for (let round = 0; round < 5; round++) {
      const file = `${directory}/new-${round}.json`;
      const [one, other] = await Promise.all([p.do("create", file, "p"), q.do("create", file, "q")]);
      assert.equal(one, other);
    }
  });

  await t.step("of two who meet a spoiled file one sets it aside", async () => {
    const file = await newFile();
    await Deno.writeTextFile(file, (await Deno.readTextFile(file)).slice(0, -20));
    const messages = (await Promise.all([p.do("open", file, "p"), q.do("open", file, "q")])).map(String).toSorted();
    assert.equal(messages.filter((message) => /is no sound simulated LUN/.test(message)).length, 1, messages.join());
    assert.equal(messages.filter((message) => /there is no simulated LUN/.test(message)).length, 1, messages.join());
    assert.ok((await Deno.stat(`${file}.corrupt-1`)).isFile);
  });

  await t.step("a plain file counted under withLock() adds up", async () => {
    const file = `${directory}/number`;
    await Deno.writeTextFile(file, "0");
    await Promise.all([p.do("count", file, "-", 100), q.do("count", file, "-", 100)]);
    assert.equal(await Deno.readTextFile(file), "200");
  });

  await t.step("a lock held by another process is waited for, and not for ever", async () => {
    const file = `${directory}/locked`;
    assert.equal(await p.do("hold", file, "-", 150), "held");
    assert.equal(await q.do("tryLock", file, "-", 20), "timeout");
    assert.equal(await q.do("tryLock", file, "-", 5_000), "got it");
  });

  await t.step(
    "who dies with the lock gives it back; who dies at work leaves a sound LUN, and all it was told",
    async () => {
      const file = await newFile();
      const died = assert.rejects(p.do("rekey", file, "p", 1_000_000), /the process is gone/);
      while ((await readSimLun(file)).generation < 20) await new Promise((resolve) => setTimeout(resolve, 5));
      await p.kill();
      await died;
      const { generation } = await readSimLun(file);
      assert.equal(await q.do("rekey", file, "q", 10), 10);
      assert.equal((await readSimLun(file)).generation, generation + 10);
    },
  );

  await Deno.remove(directory, { recursive: true });
});
