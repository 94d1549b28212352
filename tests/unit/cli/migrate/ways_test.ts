import assert from "node:assert/strict";
import { PrmigError } from "../../../../lib/errors.ts";
import { monitorWay, recvCommand, streamWay } from "../../../../lib/cli/migrate/ways.ts";

Deno.test("--to: a host's shell, a whole command, or a socket", () => {
  assert.deepEqual(streamWay("ssh dst"), { kind: "command", command: "ssh dst", whole: false });
  assert.deepEqual(streamWay("ssh dst prmig recv"), { kind: "command", command: "ssh dst prmig recv", whole: true });
  assert.deepEqual(streamWay("unix:/run/h"), { kind: "socket", address: "unix:/run/h" });
  assert.deepEqual(streamWay("tcp:dst:7000"), { kind: "socket", address: "tcp:dst:7000" });
});

Deno.test("recv is given the destination's devices, unless a shell might misread them or the user wrote it all", () => {
  const bare = { kind: "command", command: "ssh dst", whole: false } as const;
  const whole = { kind: "command", command: "ssh dst prmig recv -v", whole: true } as const;
  assert.equal(recvCommand(bare, ["/dev/sdb"], 30_000), "ssh dst prmig recv /dev/sdb --timeout 30000ms");
  assert.equal(recvCommand(bare, ["/dev/a b"], 30_000), "ssh dst prmig recv --timeout 30000ms");
  assert.equal(recvCommand(bare, null, 500), "ssh dst prmig recv --timeout 500ms");
  assert.equal(recvCommand(whole, ["/dev/sdb"], 500), "ssh dst prmig recv -v");
});

Deno.test("--dst-qmp: beside the other prmig, on this host, or by a way of one's own", () => {
  const ssh = streamWay("ssh dst");
  const whole = streamWay("ssh dst /opt/prmig recv /dev/sdb --timeout 1m");
  const command = (text: string, to = ssh): unknown => {
    const way = monitorWay(text, to);
    return way.kind === "command" ? way.command : way;
  };
  assert.equal(command("/run/qmp"), "ssh dst prmig qmp-relay /run/qmp");
  assert.equal(command("/run/qmp", whole), "ssh dst /opt/prmig qmp-relay /run/qmp");
  assert.equal(command("exec:socat - UNIX:/run/qmp"), "socat - UNIX:/run/qmp");
  assert.deepEqual(command("unix:/run/qmp"), { kind: "socket", address: "unix:/run/qmp" });
  assert.deepEqual(command("/run/qmp", streamWay("unix:/run/h")), { kind: "socket", address: "/run/qmp" });
});

Deno.test("--dst-qmp: a name that would be a command to a shell is refused", () => {
  for (const name of ["/run/q; rm -rf /", "/run/$(id)", "/run/a b", "/run/`id`", "/run/q|x", "/run/q\n"]) {
    assert.throws(() => monitorWay(name, streamWay("ssh dst")), (error: unknown) => {
      assert(error instanceof PrmigError);
      assert.equal(error.kind, "usage");
      return true;
    }, name);
  }
});
