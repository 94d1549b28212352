import assert from "node:assert/strict";
import { prmig } from "../../../support/cli_world.ts";

/** A monitor for one connection: reads to the end, then answers with what it was told, in capitals. */
async function lastWords(path: string, body: () => Promise<void>): Promise<void> {
  const listener = Deno.listen({ transport: "unix", path });
  const served = (async () => {
    using connection = await listener.accept();
    const text = new TextDecoder(), buffer = new Uint8Array(65_536);
    let told = "";
    for (let n; (n = await connection.read(buffer)) !== null;) told += text.decode(buffer.subarray(0, n));
    await write(connection, `greeting\n${told.toUpperCase()}`);
  })();
  try {
    await body();
    await served;
  } finally {
    listener.close();
  }
}

async function write(connection: Deno.UnixConn, text: string): Promise<void> {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
}

Deno.test("qmp-relay: what the socket says after stdin has ended is passed on", async () => {
  const directory = await Deno.makeTempDir({ prefix: "prmig-relay-" });
  try {
    for (const stdin of ["", "quit\n", "x".repeat(300_000)]) {
      const path = `${directory}/${stdin.length}`;
      await lastWords(path, async () => {
        const { code, stdout, stderr } = await prmig(["qmp-relay", path], { stdin });
        assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
        assert.equal(stdout, `greeting\n${stdin.toUpperCase()}`);
      });
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("qmp-relay: nobody listens there", async () => {
  const { code, stderr } = await prmig("qmp-relay /nonexistent/qmp");
  assert.equal(code, 1);
  assert.match(stderr, /Cannot reach QEMU: cannot connect to \/nonexistent\/qmp: No such file or directory/);
});
