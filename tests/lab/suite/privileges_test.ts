/**
 * Who needs what: every row of the table in docs/security.md, tried by an ordinary user with the file that the packages
 * install, with what the row grants and without it.
 */
import assert from "node:assert/strict";
import { HELD, heldBySrc, installProgram, PEER } from "../packaged_hosts.ts";
import { NodeClient, servingHelper } from "../helpers.ts";
import { type Finished, labTest, lun, readState, REPOSITORY, resetLun, run, type Running, start } from "../support.ts";

const USER = 65534;
/** Group disk, whose nodes the disks are on most systems. */
const DISK = 6;
const HOME = "/tmp/ordinary-user";

/** What a user is given beside an ordinary user's rights. */
interface Grant {
  readonly disk?: boolean;
  readonly rawio?: boolean;
}

/** The words that run prmig as an ordinary user. */
function as({ disk = false, rawio = false }: Grant, words: readonly string[]): string[] {
  const capabilities = `-all${rawio ? ",+sys_rawio" : ""}`;
  const sets = ["inh-caps", "ambient-caps", "bounding-set"].map((set) => `--${set}=${capabilities}`);
  const groups = disk ? `--groups=${DISK}` : "--clear-groups";
  const places = [`HOME=${HOME}`, `PRMIG_RUN_DIR=${HOME}/run`, `PRMIG_STATE_DIR=${HOME}/state`];
  const login = ["env", "-i", "PATH=/usr/bin:/bin", ...places];
  return ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, groups, ...sets, ...login, "prmig", ...words];
}

function prmigAs(grant: Grant, ...words: string[]): Promise<Finished> {
  return run(as(grant, words));
}

async function succeeds(grant: Grant, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await prmigAs(grant, ...words);
  assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** Refused with exit code 4 by the device, and told why. */
async function refused(grant: Grant, why: RegExp, ...words: string[]): Promise<void> {
  const { code, stdout, stderr } = await prmigAs(grant, ...words);
  assert.equal(code, 4, `${words.join(" ")}: ${stdout}${stderr}`);
  assert.match(stdout + stderr, why);
}

/** Gives the nodes of LUN 0 to group disk, as udev does, with these permissions for the group. */
async function nodesFor(permissions: "r" | "rw"): Promise<void> {
  for (const { sd, sg } of Object.values(lun().nexuses)) {
    for (const node of [sd, sg]) {
      await Deno.chown(node, 0, DISK);
      await Deno.chmod(node, permissions === "r" ? 0o640 : 0o660);
    }
  }
}

async function holder(): Promise<string | undefined> {
  return (await readState(lun().nexuses.C)).registrants.find((each) => each.holder)?.initiatorPort;
}

const DENIED = /permission denied/, NO_RAWIO = /CAP_SYS_RAWIO/;

/** A hand-over, its return because the other side is dead, and an eviction: everything that changes a LUN. */
async function changes(grant: Grant, node: "sd" | "sg"): Promise<void> {
  const { A, B } = lun().nexuses;
  await succeeds(grant, "send", B[node], "--to", `prmig recv ${A[node]}`);
  assert.equal(await holder(), A.initiatorPort);
  await succeeds(grant, "recover");
  const [handOver] = Array.from(Deno.readDirSync(`${HOME}/state/journal`), ({ name }) => name)
    .filter((name) => name.endsWith(".source.closed.json")).map((name) => name.split(".")[0]!);
  await succeeds(grant, "rollback", handOver!);
  assert.equal(await holder(), B.initiatorPort);
  await succeeds(grant, "preempt", B[node], "--key", `0x${PEER.toString(16)}`, "--type", "5");
  assert.deepEqual((await readState(A)).registrants.map(({ key }) => key), [HELD]);
}

const ROWS: Readonly<Record<string, () => Promise<void>>> = {
  "decode, try out": async () => {
    assert.match(await succeeds({}, "explain", "06/2a/05"), /Registrations preempted/);
    await succeeds({}, "help", "keys");
    await succeeds({}, "dump", `sim:${HOME}/lun.json?nexus=A&create`);
  },

  "read a LUN": async () => {
    const { B } = lun().nexuses;
    await nodesFor("r");
    const both = { disk: true, rawio: true };
    for (const node of [B.sd, B.sg]) assert.match(await succeeds(both, "dump", node), /held under/);
    assert.match(await succeeds(both, "check", B.sd), /: yes, a hand-over can begin/);
    assert.match(await succeeds(both, "watch", B.sd, "--once"), /holds WE-RO/);
    await refused({ rawio: true }, DENIED, "dump", B.sd);
    await refused({ disk: true }, NO_RAWIO, "dump", B.sd);
    await nodesFor("rw");
    await refused({ disk: true }, NO_RAWIO, "dump", B.sg);
    await refused({ disk: true }, NO_RAWIO, "check", B.sd);
    await refused({ disk: true }, NO_RAWIO, "watch", B.sd, "--once");
  },

  "change a LUN by its /dev/sgN": async () => {
    const { B } = lun().nexuses;
    await nodesFor("r");
    const before = await readState(B);
    await refused({ disk: true }, DENIED, "preempt", B.sg, "--key", "0x456def", "--type", "5");
    assert.deepEqual(await readState(B), before);
    await nodesFor("rw");
    await changes({ disk: true }, "sg");
  },

  "change a LUN by its /dev/sdX": async () => {
    const { B } = lun().nexuses;
    await nodesFor("rw");
    const before = await readState(B);
    await refused({ disk: true }, NO_RAWIO, "preempt", B.sd, "--key", "0x456def", "--type", "5");
    assert.deepEqual(await readState(B), before);
    await nodesFor("r");
    await changes({ disk: true, rawio: true }, "sd");
  },

  "see which command did it": async () => {
    const { B } = lun().nexuses;
    await nodesFor("r");
    const words = ["watch", B.sd, "--json", "--timeout", "3s"];
    const told = (stdout: string): { event: string; source: string; note?: string }[] =>
      stdout.trim().split("\n").map((line) => JSON.parse(line));
    const asRoot = await run(["/usr/bin/prmig", ...words]);
    assert.ok(told(asRoot.stdout).some(({ event, source }) => event === "up" && source === "kernel"), asRoot.stdout);
    const asUser = told(await succeeds({ disk: true, rawio: true }, ...words));
    assert.match(asUser.find(({ event, source }) => event === "down" && source === "kernel")!.note!, /not permitted/);
    assert.ok(asUser.some(({ event, source }) => event === "up" && source === "poll"), "it reads the LUN all the same");
  },

  "serve guests": async () => {
    const asRoot = ["env", "-i", "PATH=/usr/bin:/bin", "prmig"];
    const started: readonly (readonly [who: string, socket: string, argv: string[]])[] = [
      ["root gives up all but one", "/run/root-helper.sock", asRoot],
      ["an ordinary user has the one", `${HOME}/helper.sock`, as({ rawio: true }, [])],
    ];
    for (const [who, socket, words] of started) {
      const argv = [...words, "snoop", "-k", socket];
      await resetLun();
      const helper = await servingHelper(start(argv, { timeoutMs: 120_000 }), socket);
      try {
        assert.deepEqual(capabilities(helper.process), ["0000000000020000"], who);
        using guest = await NodeClient.open(socket, lun().nexuses.A.sd);
        assert.equal((await guest.prOut(0, 0n, HELD)).status, 0, who);
        assert.deepEqual((await readState(lun().nexuses.B)).registrants.map(({ key }) => key), [HELD]);
      } finally {
        const { code, stderr } = await helper.stop();
        assert.equal(code, 0, stderr);
      }
    }
  },

  "talk to a QEMU": async () => {
    const path = `${HOME}/qmp.sock`;
    using monitor = Deno.listen({ transport: "unix", path });
    await Deno.chmod(path, 0o600);
    const denied = await prmigAs({}, "qmp-relay", path);
    assert.equal(denied.code, 1);
    assert.match(denied.stderr, /Permission denied/);
    await Deno.chmod(path, 0o666);
    const answered = monitor.accept().then(async (connection) => {
      await connection.write(new TextEncoder().encode('{"QMP": {}}\n'));
      connection.close();
    });
    assert.equal(await succeeds({}, "qmp-relay", path), '{"QMP": {}}\n');
    await answered;
  },
};

/** The effective capabilities of all threads, each once. */
function capabilities({ pid }: Running): string[] {
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) =>
    /^CapEff:\t(.*)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`))![1]!
  );
  return [...new Set(threads)];
}

/** First column of the table. */
function documented(): string[] {
  const text = Deno.readTextFileSync(`${REPOSITORY}/docs/security.md`);
  const table = /^## Who needs what\n\n((?:\|.*\n)+)/m.exec(text)![1]!;
  return table.trim().split("\n").slice(2).map((row) => row.split("|")[1]!.trim());
}

Deno.test("who needs what: the table has these rows and no others", () => {
  assert.deepEqual(documented(), Object.keys(ROWS));
});

for (const [row, tried] of Object.entries(ROWS)) {
  labTest(`who needs what: to ${row}`, async () => {
    await installProgram();
    await Deno.mkdir(HOME, { recursive: true });
    await Deno.chown(HOME, USER, USER);
    await heldBySrc();
    try {
      await tried();
    } finally {
      await Deno.remove(HOME, { recursive: true });
    }
  });
}
