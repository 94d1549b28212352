/**
 * send and recv as processes, on simulated LUNs: exit codes, and that a refusal sends nothing.
 */
import assert from "node:assert/strict";
import { prOut } from "../../../lib/pr/commands.ts";
import { readSimLun } from "../../../lib/sim/open.ts";
import { createSimLun, openSimNexus } from "../../../lib/sim/open.ts";

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;
const K = 0x123abcn;

interface Place extends AsyncDisposable {
  readonly directory: string;
  readonly file: string;
  address(nexus: string, file?: string): string;
  /** Runs a shell line in which `prmig` is the program. */
  sh(line: string): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** A LUN on which host a holds type 5 and a peer is registered, and a directory for everything else. */
async function place(): Promise<Place> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-test-" });
  const file = `${directory}/lun`;
  await createSimLun(file);
  const address = (nexus: string, at = file): string => `sim:${at}?nexus=${nexus}`;
  const [a, c] = [await openSimNexus(address("a")), await openSimNexus(address("c"))];
  await prOut(a, { action: "register", rk: 0n, sark: K, aptpl: false });
  await prOut(c, { action: "register", rk: 0n, sark: 0xccccn, aptpl: false });
  await prOut(a, { action: "reserve", rk: K, type: 5 });
  a.close();
  c.close();
  return {
    directory,
    file,
    address,
    sh: async (line) => {
      const prmig = `prmig() { "${Deno.execPath()}" run -A --no-check "${MAIN}" "$@"; }`;
      const { code, stdout, stderr } = await new Deno.Command("bash", {
        args: ["-c", `set -o pipefail; ${prmig}; ${line}`],
        env: { PRMIG_STATE_DIR: `${directory}/state`, PRMIG_RUN_DIR: `${directory}/run`, NO_COLOR: "1" },
        cwd: directory,
        signal: AbortSignal.timeout(60_000),
      }).output();
      const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
      return { code, stdout: text(stdout), stderr: text(stderr) };
    },
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

Deno.test("send | recv moves the reservation between two processes and leaves closed journals", async () => {
  await using p = await place();
  const { code, stderr } = await p.sh(`prmig send '${p.address("a")}' | prmig recv '${p.address("b")}'`);
  assert.equal(code, 0, stderr);
  const { registrations, reservation } = await readSimLun(p.file);
  assert.deepEqual(Object.keys(registrations).length, 2);
  assert.match(JSON.stringify(reservation, (_, v) => typeof v === "bigint" ? `${v}` : v), /b/);
  const journals = [...Deno.readDirSync(`${p.directory}/state/journal`)].map(({ name }) => name.slice(36)).sort();
  assert.deepEqual(journals, [".destination.closed.json", ".source.closed.json"]);
  // The windows in which snoop answers guests BUSY were opened, and are closed.
  assert.deepEqual([...Deno.readDirSync(`${p.directory}/run/window`)], []);
});

Deno.test("send --to talks to recv both ways, and its result is JSON on stdout", async () => {
  await using p = await place();
  const recv = `${Deno.execPath()} run -A --no-check ${MAIN} recv "${p.address("b")}"`;
  const { code, stdout, stderr } = await p.sh(`prmig send '${p.address("a")}' --json --to '${recv}'`);
  assert.equal(code, 0, stderr);
  const result = JSON.parse(stdout);
  assert.equal(result.outcome, "moved");
  assert.deepEqual(result.luns[0].registrations.filter((r: { holder: boolean }) => r.holder), [
    { key: "0x0000000000123abc", holder: true, nexus: "iscsi:iqn.2026-01.net.example.prmig:b@1" },
  ]);
});

Deno.test("send --connect and recv --listen meet at a socket that is nobody else's, and leave none behind", async () => {
  await using p = await place();
  const socket = `${p.directory}/s`;
  const { code, stdout, stderr } = await p.sh(`
    prmig recv '${p.address("b")}' --listen unix:${socket} & 
    until [ -S ${socket} ]; do sleep 0.05; done
    stat -c %a ${socket}
    prmig send '${p.address("a")}' --connect unix:${socket} && wait $!`);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^600\n/);
  assert.equal([...Deno.readDirSync(p.directory)].some(({ name }) => name === "s"), false);
});

Deno.test("recv refuses a bad stream with 3 and sends nothing to the LUN", async () => {
  await using p = await place();
  const offered = await p.sh(`prmig send '${p.address("a")}' --timeout 100ms > offer; cat offer`);
  const lines = offered.stdout.trimEnd().split("\n");
  assert.equal(lines.length, 3, offered.stderr);
  const before = await readSimLun(p.file);
  const streams = {
    "cut off": lines.slice(0, 2).join("\n") + "\n",
    "cut in a line": lines.join("\n"),
    "altered": offered.stdout.replace('"type":5', '"type":6'),
    "repeated": offered.stdout + offered.stdout,
    "reordered": [lines[1], lines[0], lines[2]].join("\n") + "\n",
    "of another program": "SSH-2.0-OpenSSH\n",
    "empty": "",
  };
  for (const [what, stream] of Object.entries(streams)) {
    await Deno.writeTextFile(`${p.directory}/stream`, stream);
    const { code, stdout, stderr } = await p.sh(`prmig recv '${p.address("b")}' < stream`);
    assert.deepEqual([code, stdout], [3, ""], `${what}: ${stderr}`);
    assert.match(stderr, /nothing was sent to any LUN/, what);
  }
  assert.deepEqual(await readSimLun(p.file), before);
});

Deno.test("a recorded stream that is played again is refused with 3, and the LUN untouched", async () => {
  await using p = await place();
  const first = await p.sh(`prmig send '${p.address("a")}' | tee recorded | prmig recv '${p.address("b")}'`);
  assert.equal(first.code, 0, first.stderr);
  const moved = await readSimLun(p.file);
  const again = async (nexus: string, state: string): Promise<string> => {
    const before = await readSimLun(p.file);
    const line = `PRMIG_STATE_DIR=${p.directory}/${state} prmig recv '${p.address(nexus)}' < recorded`;
    const { code, stdout, stderr } = await p.sh(line);
    assert.deepEqual([code, stdout], [3, ""], stderr);
    assert.deepEqual(await readSimLun(p.file), before, stderr);
    return stderr;
  };
  assert.match(await again("b", "state"), /has been received here before/);
  // Hosts that have no journal of it: the one that holds now, the source itself, and one that never had to do with it.
  assert.match(await again("b", "other-state"), /already registered/);
  assert.match(await again("a", "other-state"), /no longer as it was offered/);
  assert.match(await again("d", "other-state"), /no longer as it was offered/);
  assert.deepEqual(await readSimLun(p.file), moved);
  // Moved back, the LUN looks as it was offered; the journal still knows the stream.
  const back = await p.sh(`prmig send '${p.address("b")}' | prmig recv '${p.address("a")}'`);
  assert.equal(back.code, 0, back.stderr);
  assert.match(await again("b", "state"), /has been received here before/);
});

Deno.test("a stream whose hand-over was interrupted is refused with 3, and named for prmig recover", async () => {
  await using p = await place();
  await p.sh(`prmig send '${p.address("a")}' --timeout 100ms > recorded`);
  // The journal as a recv that was killed when it had registered leaves it.
  const { handOver } = JSON.parse((await Deno.readTextFile(`${p.directory}/recorded`)).split("\n")[0]!);
  const journal = `${p.directory}/state/journal/${handOver}`;
  const closed = JSON.parse(await Deno.readTextFile(`${journal}.source.closed.json`));
  const { outcome: _, ...entry } = { ...closed, role: "destination", phase: "prepared" };
  await Deno.writeTextFile(`${journal}.destination.json`, JSON.stringify(entry));
  const before = await readSimLun(p.file);
  const { code, stderr } = await p.sh(`prmig recv '${p.address("b")}' < recorded`);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /is in flight \("prepared"\)/);
  assert.match(stderr, /prmig recover/);
  assert.deepEqual(await readSimLun(p.file), before);
});

Deno.test("recv on another LUN than the one offered: 3, nothing sent to either", async () => {
  await using p = await place();
  const other = `${p.directory}/other`;
  await createSimLun(other);
  const [before, beforeOther] = [await readSimLun(p.file), await readSimLun(other)];
  const { stdout } = await p.sh(`prmig send '${p.address("a")}' --timeout 100ms > offer; cat offer`);
  assert(stdout.length > 0);
  const { code, stderr } = await p.sh(`prmig recv '${p.address("b", other)}' < offer`);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /but the source offers/);
  assert.deepEqual(await readSimLun(p.file), before);
  assert.deepEqual(await readSimLun(other), beforeOther);
});

Deno.test("recv --dry-run checks, says what it would do, and sends no PERSISTENT RESERVE OUT", async () => {
  await using p = await place();
  await p.sh(`prmig send '${p.address("a")}' --timeout 100ms > offer`);
  const before = await readSimLun(p.file);
  const fine = await p.sh(`prmig recv --dry-run '${p.address("b")}' < offer`);
  assert.equal(fine.code, 0, fine.stderr);
  assert.match(fine.stdout, /^would take over /);
  const own = await p.sh(`prmig recv --dry-run '${p.address("a")}' < offer`);
  assert.equal(own.code, 3);
  assert.match(own.stderr, /source's own nexus/);
  assert.deepEqual(await readSimLun(p.file), before);
});

Deno.test("what cannot be handed over ends with the right code and one clear message", async () => {
  await using p = await place();
  const wrong: [string, number, RegExp][] = [
    [`prmig send '${p.address("nobody")}' > /dev/null`, 3, /not registered/],
    [`prmig send '${p.address("a")}' --key 999 > /dev/null`, 3, /under 0x0000000000123abc, not 0x0000000000000999/],
    [`prmig send /etc/passwd > /dev/null`, 4, /passwd/],
    [`prmig send /dev/does-not-exist > /dev/null`, 4, /does-not-exist/],
    [`prmig send /dev/null > /dev/null`, 4, /\/dev\/null/],
    [`prmig send '${p.address("a")}' '${p.address("a")}' > /dev/null`, 2, /the same LUN/],
    [`prmig send '${p.address("a")}' --connect tcp:192.0.2.1:4000`, 2, /leaves this host/],
    [`prmig send '${p.address("a")}' --connect unix:${p.directory}/nobody`, 1, /Cannot connect/],
    [`prmig send '${p.address("a")}' --to true --timeout 2s`, 1, /as before/],
  ];
  const before = await readSimLun(p.file);
  for (const [line, code, message] of wrong) {
    const result = await p.sh(line);
    assert.equal(result.code, code, `${line}: ${result.stderr}`);
    assert.match(result.stderr, message);
  }
  assert.deepEqual((await readSimLun(p.file)).registrations, before.registrations);
});

Deno.test("a journal that cannot be written keeps send from touching the LUN", async () => {
  await using p = await place();
  const before = await readSimLun(p.file);
  await Deno.writeTextFile(`${p.directory}/state`, "not a directory");
  const { code, stderr } = await p.sh(`prmig send '${p.address("a")}' > /dev/null`);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Cannot write the journal/);
  assert.deepEqual(await readSimLun(p.file), before);
});
