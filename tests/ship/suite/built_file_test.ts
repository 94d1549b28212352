import assert from "node:assert/strict";
import { build } from "../../../tools/build/build.ts";
import { VERSION } from "../../../lib/cli/version.ts";
import { BINARY, demand, Root, run, WORK } from "../support.ts";

Deno.test("building twice gives the same bytes", async () => {
  const again = await build({ arch: Deno.build.arch, runtime: null });
  const first = await Deno.readFile(BINARY);
  assert.equal(again.length, first.length);
  assert.ok(again.every((byte, i) => byte === first[i]), "the bytes differ");
});

Deno.test("the file says its version, also without any environment", async () => {
  for (const words of [[BINARY], ["env", "-i", BINARY], ["setarch", "-R", BINARY]]) {
    assert.equal(await demand([...words, "--version"]), `${VERSION}\n`);
  }
});

Deno.test("the file needs nothing beside it: run from elsewhere, through a link, under another name", async () => {
  const other = `${WORK}/other-name`;
  await Deno.symlink(BINARY, other);
  assert.match(await demand([other, "help", "keys"], { cwd: "/" }), /^A reservation key is 64 bits/);
});

const STEERING = {
  NODE_OPTIONS: "--inspect=127.0.0.1:19229 --require /nonexistent/evil.js",
  DENO_V8_FLAGS: "--help",
  DENO_AUDIT_PERMISSIONS: "/tmp/should-not-be-written",
  OTEL_DENO: "true",
};
Deno.test("no variable of the runtime reaches it", async () => {
  assert.deepEqual(await run([BINARY, "--version"], { env: STEERING }), {
    code: 0,
    stdout: `${VERSION}\n`,
    stderr: "",
  });
});

Deno.test("the runtime is told to look for no updates", async () => {
  const file = `${WORK}/environment`; // of the process itself, as what it starts inherits it
  await run([BINARY, "check", `sim:${WORK}/told.json?nexus=A&create`, "--", `sh -c "env >${file}; exit 1"`]);
  assert.match(await Deno.readTextFile(file), /^DENO_NO_UPDATE_CHECK=1$/m);
});

Deno.test("SIGUSR1 does not open the inspector, and does not end the program", async () => {
  const lun = `${WORK}/usr1.json`;
  const child = new Deno.Command(BINARY, {
    args: ["watch", `sim:${lun}?nexus=A&create`, "--json", "--timeout", "20s"],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    for (let waited = 0; waited < 10_000 && !await exists(lun); waited += 50) await pause(50);
    await pause(300);
    const threads = [...Deno.readDirSync(`/proc/${child.pid}/task`)].map(({ name }) =>
      /^SigBlk:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync(`/proc/${child.pid}/task/${name}/status`))?.[1]
    );
    assert.ok(
      threads.length > 1 && threads.every((mask) => (BigInt(`0x${mask}`) & 0x200n) !== 0n),
      "blocked everywhere",
    );
    Deno.kill(child.pid, "SIGUSR1");
    await pause(500);
    assert.doesNotThrow(() => Deno.kill(child.pid, 0 as unknown as Deno.Signal), "it lives");
    assert.deepEqual(listeners(child.pid), []);
  } finally {
    child.kill("SIGTERM");
    const stderr = await new Response(child.stderr).text();
    await child.status;
    assert.doesNotMatch(stderr, /[Dd]ebugger/);
  }
});

Deno.test("it refuses to run setuid, and does nothing", async () => {
  const path = `${WORK}/setuid`;
  await Deno.copyFile(BINARY, path);
  try {
    await Deno.chmod(WORK, 0o755);
    await Deno.chmod(path, 0o4755);
    const { code, stdout, stderr } = await run(["setpriv", "--reuid", "65534", "--clear-groups", path, "--version"]);
    assert.deepEqual([code, stdout], [127, ""]);
    assert.match(stderr, /^prmig: will not run setuid or with file capabilities/);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("more words than fit are refused, not cut", async () => {
  const { code, stderr } = await run([BINARY, "explain", ...Array<string>(180_000).fill("00")]);
  assert.equal(code, 127);
  assert.match(stderr, /too many arguments/);
});

Deno.test("an ordinary user can run it, with a home of its own or without", async () => {
  await Deno.chmod(WORK, 0o755);
  const user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
  assert.equal(await demand([...user, BINARY, "--version"], { env: { HOME: "/root" } }), `${VERSION}\n`);
  assert.match(await demand([...user, "env", "-i", BINARY, "help", "keys"]), /^A reservation key/);
});

Deno.test("root's cache is its own, and one that others can write to is not used", async () => {
  await using root = await Root.copy("clean");
  await root.put(BINARY, "/usr/bin/prmig");
  await Deno.chmod(`${root.path}/usr/bin/prmig`, 0o755);
  const cache = `${root.path}/var/cache/prmig`;
  const size = (): number => [...Deno.readDirSync(cache)].length;

  assert.equal(await root.demand(["prmig", "--version"]), `${VERSION}\n`);
  assert.equal((await Deno.stat(cache)).mode! & 0o7777, 0o700);
  assert.ok(size() > 0, "it is used");
  assert.match(await root.demand(["prmig", "help", "keys"]), /^A reservation key/);
  assert.equal(await Deno.readLink(`${cache}/_proc_self_fd_3.mjs`), "/proc/self/fd/3", "the program has a name");
  await assert.rejects(Deno.stat(`${cache}/gen/file`), Deno.errors.NotFound, "it was not taken for TypeScript");

  for (const spoil of ["chmod 0777", "chmod 0720", "chown 1:1"]) {
    await Deno.remove(cache, { recursive: true });
    await Deno.mkdir(cache, { mode: 0o700 });
    await demand([...spoil.split(" "), cache]);
    assert.equal(await root.demand(["prmig", "--version"]), `${VERSION}\n`, spoil);
    assert.equal(size(), 0, `${spoil}: nothing was read from it or written to it`);
  }
  await Deno.remove(cache, { recursive: true });
  await Deno.mkdir(`${root.path}/elsewhere`, { mode: 0o700 });
  await Deno.symlink("/elsewhere", cache);
  assert.equal(await root.demand(["prmig", "--version"]), `${VERSION}\n`, "a link");
  assert.deepEqual([...Deno.readDirSync(`${root.path}/elsewhere`)], []);
});

Deno.test("without /proc it says so", async () => {
  const hidden = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$0" --version', BINARY];
  const { code, stderr } = await run(hidden);
  assert.deepEqual([code, stderr], [127, "prmig: /proc is not mounted\n"]);
});

Deno.test("no arguments, a typo, no device, no permission: short, helpful, the right exit code", async () => {
  const cases: readonly (readonly [words: readonly string[], code: number, stderr: RegExp])[] = [
    [[], 2, /^prmig moves a SCSI-3 persistent reservation[\s\S]*First steps:/],
    [["dmup", "/dev/sdb"], 2, /there is no command "dmup"; did you mean dump\?\nTry: prmig --help\n$/],
    [
      ["dump", "/dev/null"],
      4,
      /Cannot open \/dev\/null: character device 1:3 is no SCSI generic node[\s\S]*try: .*prmig dump --all/,
    ],
    [["dump", "/etc/passwd"], 4, /it is an ordinary file, not a SCSI device/],
    [["dump", "/dev/no-such-disk"], 4, /there is no such file/],
  ];
  for (const [words, code, wanted] of cases) {
    const ran = await run([BINARY, ...words]);
    assert.deepEqual([ran.code, ran.stdout], [code, ""], words.join(" "));
    assert.match(ran.stderr, wanted);
    if (words.length > 0) assert.ok(ran.stderr.split("\n").length <= 6, "short");
  }
});

Deno.test("the start is told: first, later, without a cache", async () => {
  const took = async (argv: readonly string[]): Promise<number> => {
    const start = performance.now();
    await demand(argv);
    return performance.now() - start;
  };
  const user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "env", "-i"];
  const later = [], uncached = [];
  for (let i = 0; i < 7; i++) {
    later.push(await took([BINARY, "help", "keys"]));
    uncached.push(await took([...user, BINARY, "help", "keys"]));
  }
  const { size } = await Deno.stat(BINARY);
  const least = (times: readonly number[]): number => Math.round(Math.min(...times));
  console.log(`    ${size} bytes; start ${least(later)} ms, without a cache ${least(uncached)} ms (least of 7)`);
  assert.ok(least(later) < 1000, "a start takes less than a second on the slowest machine this is tried on");
});

function listeners(pid: number): string[] {
  const own = new Set<string>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      own.add(Deno.readLinkSync(`/proc/${pid}/fd/${name}`));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // closed while we looked
    }
  }
  const LISTEN = "0A";
  return ["tcp", "tcp6"].flatMap((table) => Deno.readTextFileSync(`/proc/net/${table}`).trim().split("\n").slice(1))
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTEN && own.has(`socket:[${inode}]`))
    .map(([, local]) => local!);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
