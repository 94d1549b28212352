import assert from "node:assert/strict";
import { main } from "../../../lib/cli/main.ts";
import { type MemoryWorld, memoryWorld } from "../../support/cli_world.ts";
import { Datagrams } from "../../support/datagrams.ts";
import { HelperClient } from "../../support/helper_client.ts";
import { closeFd, openFd } from "../../../lib/sys/fd.ts";

interface Served {
  readonly world: MemoryWorld;
  readonly socket: string;
  readonly directory: string;
  readonly env: Record<string, string>;
}

/** Runs `prmig snoop` in this very process, which has been told that there is nothing left to give up. */
async function snoop(
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stderr: string }> {
  const world = memoryWorld();
  const code = await main(["snoop", ...words], { ...world, env: (name) => env[name] });
  return { code, stderr: world.stderr() };
}

const USAGE: [string, string[], Record<string, string>, RegExp][] = [
  ["a relative socket", ["-k", "relative.sock"], {}, /not an absolute path/],
  ["a socket path too long", ["-k", `/${"x".repeat(120)}`], {}, /1 to 107 bytes/],
  ["a user there is none", ["-u", "no-such-user-here"], {}, /no user "no-such-user-here"/],
  ["a group there is none", ["-g", "no-such-group-here"], {}, /no group/],
  ["an unknown option", ["--frobnicate"], {}, /unknown option/],
  ["extra words", ["-k", "/tmp/x", "extra"], {}, /too many arguments/],
  [
    "a socket beside one handed over",
    ["-k", "/tmp/x"],
    { LISTEN_PID: String(Deno.pid), LISTEN_FDS: "1" },
    /LISTEN_FDS/,
  ],
];
for (const [name, words, env, wanted] of USAGE) {
  Deno.test(`prmig snoop refuses ${name}, exit 2`, async () => {
    const run = Deno.makeTempDirSync({ prefix: "prmig-" });
    try {
      const { code, stderr } = await snoop(words, { PRMIG_RUN_DIR: run, ...env });
      assert.equal(code, 2, stderr);
      assert.match(stderr, wanted);
    } finally {
      Deno.removeSync(run, { recursive: true });
    }
  });
}

Deno.test("prmig snoop cannot begin, exit 1: two sockets handed over, one that is none, no directory for the socket", async () => {
  const run = Deno.makeTempDirSync({ prefix: "prmig-" });
  const mine = { PRMIG_RUN_DIR: run, LISTEN_PID: String(Deno.pid) };
  try {
    const several = await snoop([], { ...mine, LISTEN_FDS: "2" });
    assert.deepEqual([several.code, /one is handed over at a time/.test(several.stderr)], [1, true], several.stderr);
    const nowhere = await snoop(["-k", `${run}/no/such/s`], { PRMIG_RUN_DIR: run });
    assert.deepEqual([nowhere.code, /ENOENT/.test(nowhere.stderr)], [1, true], nowhere.stderr);
    Deno.writeTextFileSync(`${run}/file`, "");
    const noRun = await snoop(["-k", `${run}/s`], { PRMIG_RUN_DIR: `${run}/file/below` });
    assert.equal(noRun.code, 1);
    assert.match(noRun.stderr, /PRMIG_RUN_DIR/);
  } finally {
    Deno.removeSync(run, { recursive: true });
  }
});

/** Serves in this process: a second start is prevented by pretending that it has happened. */
async function served(words: readonly string[], test: (scene: Served) => Promise<void>): Promise<MemoryWorld> {
  const { listenAt } = await import("../../../lib/sys/unix_socket.ts");
  const directory = Deno.makeTempDirSync({ prefix: "prmig-" });
  Deno.mkdirSync(`${directory}/luns`);
  const socket = `${directory}/helper.sock`;
  const listener = await listenAt(socket, 0o600);
  const env: Record<string, string> = {
    PRMIG_SNOOP_PREPARED: JSON.stringify({ listener, runDirectory: directory }),
    NOTIFY_SOCKET: `${directory}/notify`,
  };
  const world = memoryWorld();
  const done = main(["snoop", ...words], { ...world, env: (name) => env[name] });
  try {
    await test({ world, socket, directory, env });
  } finally {
    world.interrupt("SIGTERM");
    assert.equal(await done, 0, world.stderr());
    assert.throws(() => Deno.lstatSync(socket), Deno.errors.NotFound);
    Deno.removeSync(directory, { recursive: true });
  }
  return world;
}

Deno.test("prmig snoop serves, logs, counts, tells the service manager, and ends at SIGTERM with 0", async () => {
  const fd = await openFd("/dev/null", 2);
  const metrics = Deno.makeTempDirSync({ prefix: "prmig-" });
  try {
    const world = await served(["--json", "--metrics", `${metrics}/m.prom`], async ({ socket, directory }) => {
      using manager = new Datagrams(`${directory}/notify`);
      using client = await HelperClient.greeted(socket);
      const list = new Uint8Array(24);
      const reply = await client.command(Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0), fd, list);
      assert.deepEqual([reply.status, reply.sense[2], reply.sense[13]], [2, 0x0b, 6], "/dev/null is no SCSI device");
      assert.ok(Array.isArray(manager.told()));
    });
    assert.match(world.stderr(), /level=info msg=serving socket=\S+helper\.sock pid=\d+/);
    assert.match(world.stderr(), /msg="PERSISTENT RESERVE OUT".* action=REGISTER .*status="outcome unknown/);
    assert.match(world.stderr(), /msg=ended commands=1/);
    assert.match(Deno.readTextFileSync(`${metrics}/m.prom`), /prmig_snoop_commands_total\{direction="out"/);
    assert.equal(Deno.statSync(`${metrics}/m.prom`).mode! & 0o777, 0o644);
    assert.equal(world.stdout(), "", "what is no LUN has no events");
  } finally {
    closeFd(fd);
    Deno.removeSync(metrics, { recursive: true });
  }
});

Deno.test("prmig snoop --quiet says nothing where nothing is wrong", async () => {
  const world = await served(["-q", "-T", "all"], async ({ socket }) => {
    using _client = await HelperClient.greeted(socket);
  });
  assert.equal(world.stdout(), "");
  assert.doesNotMatch(world.stderr(), /level=info/);
  assert.match(world.stderr(), /--trace has no effect/);
});
