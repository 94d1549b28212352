/**
 * `prmig snoop` as a process: privileges, signals, sockets handed over, the background, rivals.
 */
import assert from "node:assert/strict";
import { privileges } from "../../../lib/sys/privileges.ts";
import { connectTo, peerOf } from "../../../lib/sys/unix_socket.ts";
import { HelperClient } from "../../support/helper_client.ts";
import { eventually, NodeClient, pause, startSnoop } from "../helpers.ts";
import { labTest, lun, prmig, prmigCommand, readState, run, start } from "../support.ts";

const K = 0x123abcn;
const CAP_SYS_RAWIO = 1n << 17n;

function tasks(pid: number): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => `${pid}/task/${name}`);
}

labTest("privileges: every thread has CAP_SYS_RAWIO and nothing else, and commands still work", async () => {
  const { A } = lun().nexuses;
  const helper = await startSnoop();
  try {
    using guest = await NodeClient.open(helper.socket, A.sd);
    assert.equal((await guest.prOut(0, 0n, K)).status, 0);
    for (const task of tasks(helper.process.pid)) {
      const { permitted, effective, bounding, groups, noNewPrivileges } = privileges(task);
      assert.deepEqual([permitted, effective, bounding, groups, noNewPrivileges], [
        CAP_SYS_RAWIO,
        CAP_SYS_RAWIO,
        0n,
        [],
        true,
      ]);
    }
  } finally {
    assert.equal((await helper.stop()).code, 0);
  }
});

labTest("--user nobody: works on a block node that only root may open", async () => {
  const { A, B } = lun().nexuses;
  Deno.mkdirSync("/run/prmig-nobody", { recursive: true });
  const env = { PRMIG_RUN_DIR: "/run/prmig-nobody", DENO_DIR: "/tmp/deno-nobody", HOME: "/tmp" };
  await run([
    "cp",
    "-r",
    (await run([Deno.execPath(), "info", "--json"])).stdout.match(/"denoDir":\s*"([^"]+)"/)![1]!,
    "/tmp/deno-nobody",
  ]);
  await run(["chown", "-R", "nobody", "/tmp/deno-nobody"]);
  const helper = await startSnoop({ args: ["--user", "nobody", "--group", "nogroup"], env });
  try {
    using guest = await NodeClient.open(helper.socket, A.sd);
    assert.equal((await guest.prOut(0, 0n, K)).status, 0);
    assert.equal((await guest.prOut(1, K, 0n, 5)).status, 0);
    const { uid, effective, bounding, groups } = privileges(String(helper.process.pid));
    assert.deepEqual([uid, effective, bounding, groups], [65534, CAP_SYS_RAWIO, 0n, []]);
    assert.deepEqual((await readState(B)).reservation, { key: K, type: 5 });
    await eventually(
      "state kept by nobody",
      () => [...Deno.readDirSync("/run/prmig-nobody/luns")].some(({ name }) => name.endsWith(".json")),
    );
  } finally {
    assert.equal((await helper.stop()).code, 0);
  }
});

labTest("SIGTERM: idle clients are dropped, the socket goes, a rival's stays; a second helper is refused", async () => {
  const helper = await startSnoop({ args: ["-f", "/run/snoop.pid"] });
  assert.equal(Deno.readTextFileSync("/run/snoop.pid").trim(), String(helper.process.pid));
  assert.equal(Deno.statSync("/run/snoop.pid").mode! & 0o777, 0o600);
  const rival = await prmig(["snoop", "-k", helper.socket]);
  assert.equal(rival.code, 1);
  assert.match(rival.stderr, /somebody serves/);
  Deno.removeSync(helper.socket); // as libvirt does before it starts another one
  const second = await startSnoop({ socket: helper.socket });
  using idle = await HelperClient.greeted(second.socket);
  assert.equal((await helper.stop()).code, 0);
  assert.throws(() => Deno.statSync("/run/snoop.pid"), Deno.errors.NotFound);
  assert.ok(Deno.lstatSync(second.socket), "the second one's socket is left alone");
  const ended = await second.stop();
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(await idle.closed());
  assert.throws(() => Deno.lstatSync(second.socket), Deno.errors.NotFound);
});

labTest("started as libvirt does: `-k PATH` alone, no fork, and whoever sees the path can connect", async () => {
  const path = "/run/managed-helper0.sock";
  for (let round = 0; round < 5; round++) {
    const helper = start(prmigCommand(["snoop", "-k", path]));
    const there = (): boolean => {
      try {
        return Deno.lstatSync(path).isSocket === true;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    };
    for (const until = Date.now() + 60_000; !there();) {
      assert.ok(Date.now() < until, "no socket");
      await pause(0);
    }
    using client = new HelperClient(connectTo(path), 60_000);
    assert.equal(peerOf(client.fd).pid, helper.pid, "the process that was started is the one that listens");
    await client.greet();
    helper.kill("SIGTERM");
    assert.equal((await helper.finished).code, 0);
    assert.ok(!there(), "the path is gone with it");
  }
});

labTest("--daemon: the parent ends when the socket serves, and says why when it cannot", async () => {
  const { A } = lun().nexuses;
  const { code, stderr } = await prmig(["snoop", "-d", "-k", "/run/daemon.sock", "-f", "/run/daemon.pid"]);
  assert.equal(code, 0, stderr);
  const pid = Number(Deno.readTextFileSync("/run/daemon.pid"));
  using guest = await NodeClient.open("/run/daemon.sock", A.sd);
  assert.equal((await guest.prIn(0)).status, 0);
  const refused = await prmig(["snoop", "-d", "-k", "/run/daemon.sock"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /somebody serves/);
  Deno.kill(pid, "SIGTERM");
  assert.ok(await guest.client.closed());
});
