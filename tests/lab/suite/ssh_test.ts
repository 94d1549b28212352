/**
 * The lab's sshd: what tests over ssh take for granted.
 */
import assert from "node:assert/strict";
import { labTest, run, start, startSshd } from "../support.ts";

labTest("ssh root@localhost runs a command with the lab's devices, both ways through the pipe", async () => {
  const sshd = await startSshd();
  try {
    const { code, stdout, stderr } = await run([...sshd.command, "cat; id -u; ls /dev/sg0"], { stdin: "hello\n" });
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "hello\n0\n/dev/sg0\n" }, stderr);
  } finally {
    await sshd.stop();
  }
});

labTest("stopping the server cuts a connection", async () => {
  const sshd = await startSshd();
  const connection = start([...sshd.command, "echo connected; sleep 100"]);
  while (!connection.printed().stdout.includes("connected")) await new Promise((resolve) => setTimeout(resolve, 50));
  await sshd.stop();
  assert.equal((await connection.finished).code, 255);
});
