import assert from "node:assert/strict";
import { connectQmp } from "../../../lib/qmp/client.ts";
import { QmpError } from "../../../lib/qmp/error.ts";
import { openQmpSocket, parseQmpAddress } from "../../../lib/qmp/socket.ts";
import { CLOCK } from "../../../lib/cli/hand_over/world.ts";
import { GREETING } from "../../support/qmp_script.ts";

Deno.test("parseQmpAddress() takes paths, unix: and tcp:, and nothing else", () => {
  const cases: [string, unknown][] = [
    ["/run/src/qmp", { kind: "unix", path: "/run/src/qmp" }],
    ["unix:/run/src/qmp", { kind: "unix", path: "/run/src/qmp" }],
    ["./qmp", { kind: "unix", path: "./qmp" }],
    ["tcp:127.0.0.1:4444", { kind: "tcp", hostname: "127.0.0.1", port: 4444 }],
    ["tcp:[::1]:4444", { kind: "tcp", hostname: "::1", port: 4444 }],
    ["tcp:host:0", null],
    ["tcp:host/x:99", { kind: "tcp", hostname: "host/x", port: 99 }],
    ["tcp:/run/x", null],
    ["qmp", null],
    ["", null],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parseQmpAddress(text), expected, text);
});

Deno.test("a QMP socket: greeting, a command, and an end that is told", async () => {
  const directory = await Deno.makeTempDir({ prefix: "prmig-qmp-" });
  const path = `${directory}/qmp`;
  try {
    const listener = Deno.listen({ transport: "unix", path });
    const server = serveOnce(listener);
    const client = await connectQmp(await openQmpSocket({ kind: "unix", path }), CLOCK, 5000);
    assert.deepEqual(await client.execute("query-status", undefined, 5000), { status: "running", running: true });
    await server;
    assert.equal((await client.ended).failure, "closed");
    await client.close();
    listener.close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a QMP socket that is not there: a QmpError that names it", async () => {
  await assert.rejects(openQmpSocket({ kind: "unix", path: "/nonexistent/qmp" }), (error: unknown) => {
    assert(error instanceof QmpError);
    assert.equal(error.failure, "closed");
    assert.match(error.message, /^cannot connect to \/nonexistent\/qmp: No such file or directory$/);
    return true;
  });
});

async function serveOnce(listener: Deno.Listener<Deno.UnixConn>): Promise<void> {
  using conn = await listener.accept();
  const write = (text: string): Promise<number> => conn.write(new TextEncoder().encode(text));
  await write(GREETING);
  const buffer = new Uint8Array(4096);
  for (const answer of ['{"return": {}, "id": 1}', '{"return": {"status": "running", "running": true}, "id": 2}']) {
    await conn.read(buffer);
    await write(answer);
  }
}
