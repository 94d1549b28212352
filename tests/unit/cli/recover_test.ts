/**
 * recover and rollback as processes, on simulated LUNs.
 */
import assert from "node:assert/strict";
import { recoverOne } from "../../../lib/cli/recover/run.ts";
import { findJournals } from "../../../lib/migrate/journal.ts";
import { prOut } from "../../../lib/pr/commands.ts";
import type { PrType } from "../../../lib/pr/types.ts";
import { createSimLun, openSimNexus, readSimLun } from "../../../lib/sim/open.ts";
import { memoryWorld } from "../../support/cli_world.ts";

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;
const K = 0x123abcn;

class Place implements AsyncDisposable {
  private constructor(readonly directory: string) {}

  /** A LUN on which host a holds `type` and a peer is registered, under the same key or another. */
  static async of(type: PrType, peerKey = 0xccccn): Promise<Place> {
    const place = new Place(await Deno.makeTempDir({ prefix: "prmig-test-" }));
    await createSimLun(place.file);
    await place.send("a", { action: "register", rk: 0n, sark: K, aptpl: false });
    await place.send("c", { action: "register", rk: 0n, sark: peerKey, aptpl: false });
    await place.send("a", { action: "reserve", rk: K, type });
    return place;
  }

  get file(): string {
    return `${this.directory}/lun`;
  }

  address(nexus: string): string {
    return `sim:${this.file}?nexus=${nexus}`;
  }

  async send(name: string, request: Parameters<typeof prOut>[1]): Promise<void> {
    const nexus = await openSimNexus(this.address(name));
    assert.equal((await prOut(nexus, request)).status, 0);
    nexus.close();
  }

  /** Each host has its own journals. */
  command(host: string, words: readonly string[], stdin: "null" | "piped" = "null"): Deno.Command {
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", MAIN, ...words],
      env: { PRMIG_STATE_DIR: `${this.directory}/${host}`, PRMIG_RUN_DIR: `${this.directory}/run`, NO_COLOR: "1" },
      stdin,
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(60_000),
    });
  }

  async prmig(host: string, ...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code, stdout, stderr } = await this.command(host, words).output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  }

  /** Who is registered and who holds, `a 123abc holds`. */
  async shown(): Promise<string[]> {
    const { stdout } = await this.prmig("x", "dump", this.address("d"), "--json");
    type R = { key: string; holder: boolean; transportId: { address: string } };
    return (JSON.parse(stdout).registrations as R[]).map(({ key, holder, transportId }) =>
      `${transportId.address.at(-1)} ${BigInt(key).toString(16)}${holder ? " holds" : ""}`
    ).sort();
  }

  /** Moves from a to b; gives the hand-over's name. */
  async move(): Promise<string> {
    const recv = `PRMIG_STATE_DIR=${this.directory}/b ${Deno.execPath()} run -A --no-check ${MAIN} recv "${
      this.address("b")
    }"`;
    const { code, stdout, stderr } = await this.prmig("a", "send", this.address("a"), "--json", "--to", `env ${recv}`);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).handOver;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Runs send on host a, with b registered by hand, until the LUN shows the commit, and kills it. */
async function killAfterCommit(p: Place): Promise<void> {
  const child = p.command("a", ["send", p.address("a"), "--timeout", "20s"]).spawn();
  const offer = child.stdout.getReader();
  await offer.read();
  await p.send("b", { action: "register", rk: 0n, sark: K, aptpl: false });
  while (
    !/70726d67/.test(JSON.stringify(await readSimLun(p.file), (_, v) => typeof v === "bigint" ? v.toString(16) : v))
  ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGKILL");
  await Promise.all([child.status, offer.cancel(), child.stderr.cancel()]);
}

Deno.test("recover on a host with nothing to recover says so", async () => {
  await using p = await Place.of(5);
  const { code, stderr } = await p.prmig("a", "recover");
  assert.deepEqual([code, stderr.trim()], [0, "there is nothing to recover on this host"]);
});

Deno.test("source killed after the commit: send says what is wrong, recover takes the key back, again does nothing", async () => {
  await using p = await Place.of(5);
  await killAfterCommit(p);
  assert.match((await p.shown()).join(), /a 70726d67[0-9a-f]{8} holds/);
  const again = await p.prmig("a", "send", p.address("a"), "--to", "true");
  assert.equal(again.code, 3);
  assert.match(again.stderr, /stands under the one-time key[^]*try: prmig recover/);
  const listed = await p.prmig("a", "recover", "--list", "--json");
  assert.deepEqual([JSON.parse(listed.stdout).role, JSON.parse(listed.stdout).phase], ["source", "committing"]);
  const recovered = await p.prmig("a", "recover");
  assert.equal(recovered.code, 0, recovered.stderr);
  assert.match(recovered.stdout, /undone: the source holds as before/);
  assert.deepEqual(await p.shown(), ["a 123abc holds", "c cccc"]);
  assert.match((await p.prmig("a", "recover")).stderr, /nothing to recover/);
});

Deno.test("recover does not touch a hand-over that another prmig is at work on", async () => {
  await using p = await Place.of(5);
  const child = p.command("a", ["send", p.address("a"), "--timeout", "20s"]).spawn();
  const offer = child.stdout.getReader();
  await offer.read();
  const { code, stderr } = await p.prmig("a", "recover");
  assert.equal(code, 3, stderr);
  assert.match(stderr, /Another prmig is at work/);
  child.kill("SIGTERM");
  const [{ code: interrupted }] = await Promise.all([child.status, offer.cancel(), child.stderr.cancel()]);
  assert.equal(interrupted, 130);
  assert.deepEqual(await p.shown(), ["a 123abc holds", "c cccc"]);
});

Deno.test("recover acts on the journal as it is once it has the lock, not as it was found", async () => {
  await using p = await Place.of(5);
  await killAfterCommit(p);
  const world = memoryWorld();
  const context = {
    ...world,
    env: (name: string) => name === "PRMIG_STATE_DIR" ? `${p.directory}/a` : `${p.directory}/run`,
    json: false,
    verbose: false,
    signal: new AbortController().signal,
    help: () => "",
  };
  const [found] = await findJournals(`${p.directory}/a/journal`, (path) => assert.fail(path));
  assert.equal(found!.entry.phase, "committing");
  // Another recover is faster, and whatever happens to the LUN afterwards is none of this hand-over's business.
  assert.equal((await p.prmig("a", "recover")).code, 0);
  await p.send("c", { action: "preempt", rk: 0xccccn, sark: K, type: 5 });
  const before = [await p.shown(), await Deno.readTextFile(found!.path.replace(/json$/, "closed.json"))];
  assert.equal(await recoverOne(found!, 2000, {}, context), null);
  const files = [...Deno.readDirSync(`${p.directory}/a/journal`)].map(({ name }) => name);
  assert.deepEqual(files, [found!.path.split("/").at(-1)!.replace(/json$/, "closed.json")]);
  assert.deepEqual([await p.shown(), await Deno.readTextFile(`${p.directory}/a/journal/${files[0]}`)], before);
});

Deno.test("a corrupt journal is reported and set aside, not guessed at", async () => {
  await using p = await Place.of(5);
  await Deno.mkdir(`${p.directory}/a/journal`, { recursive: true });
  const path = `${p.directory}/a/journal/2b3c1c2b-0fde-4b07-9d97-67ca978799d7.source.json`;
  await Deno.writeTextFile(path, '{"prmig":1,"role":"sour');
  const { code, stderr } = await p.prmig("a", "recover");
  assert.equal(code, 0);
  assert.match(stderr, /corrupt and was set aside: .*corrupt-1/);
  assert.deepEqual(await p.shown(), ["a 123abc holds", "c cccc"]);
});

for (const type of [5, 8] as const) {
  Deno.test(`rollback takes type ${type} back from a host that is dead, once`, async () => {
    await using p = await Place.of(type);
    const handOver = await p.move();
    const { code, stdout, stderr } = await p.prmig("a", "rollback", handOver);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /undone: the source holds/);
    assert.deepEqual(await p.shown(), ["a 123abc holds", type === 8 ? "c cccc holds" : "c cccc"]);
    const again = await p.prmig("a", "rollback", handOver);
    assert.equal(again.code, 3);
    assert.match(again.stderr, /nothing to take back/);
  });
}

Deno.test("rollback from a host that shares its key: refused, unless all who share it may go", async () => {
  await using p = await Place.of(5, K);
  const handOver = await p.move();
  assert.deepEqual(await p.shown(), ["b 123abc holds", "c 123abc"]);
  const refused = await p.prmig("a", "rollback", handOver);
  assert.equal(refused.code, 3, refused.stderr);
  assert.deepEqual(await p.shown(), ["b 123abc holds", "c 123abc"]);
  const forced = await p.prmig("a", "rollback", handOver, "--evict-shared");
  assert.equal(forced.code, 0, forced.stderr);
  assert.deepEqual(await p.shown(), ["a 123abc holds"]);
});

Deno.test("rollback refuses when a third party has preempted the key meanwhile: a fenced guest stays fenced", async () => {
  await using p = await Place.of(5);
  const handOver = await p.move();
  await p.send("c", { action: "preempt", rk: 0xccccn, sark: K, type: 5 });
  const { code, stderr } = await p.prmig("a", "rollback", handOver);
  assert.equal(code, 3, stderr);
  assert.deepEqual(await p.shown(), ["c cccc holds"]);
});

/** What a source leaves that was killed while it evicted: under a one-time key, the destination gone, and nobody knows why. */
async function killWhileEvicting(p: Place): Promise<string> {
  await killAfterCommit(p);
  await p.send("b", { action: "register", rk: K, sark: 0n, aptpl: false });
  const [found] = await findJournals(`${p.directory}/a/journal`, () => {});
  const { written, ...entry } = JSON.parse(await Deno.readTextFile(found!.path));
  const luns = entry.luns.map((lun: object) => ({ ...lun, aside: "evicting" }));
  await Deno.writeTextFile(found!.path, JSON.stringify({ ...entry, phase: "evicting", luns, written }));
  return found!.entry.handOver;
}

Deno.test("rollback answers for the LUN that recover has shown, and for no other", async () => {
  await using p = await Place.of(8);
  const handOver = await killWhileEvicting(p);
  const unasked = await p.prmig("a", "rollback", handOver);
  assert.equal(unasked.code, 5, unasked.stderr);
  await p.send("e", { action: "register", rk: 0n, sark: 0xeeeen, aptpl: false });
  const before = await p.shown();

  const changed = await p.prmig("a", "rollback", handOver);
  assert.equal(changed.code, 3, changed.stderr);
  assert.match(changed.stderr, /it has changed since[^]*try: prmig recover /);
  assert.deepEqual(await p.shown(), before);

  const asked = await p.prmig("a", "recover", handOver);
  assert.equal(asked.code, 5, asked.stderr);
  assert.match(asked.stderr, /Cannot tell whether the guest was fenced[^]*prmig rollback /);
  assert.deepEqual(await p.shown(), before);

  const { code, stdout, stderr } = await p.prmig("a", "rollback", handOver);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /undone: the source holds as before/);
  assert.deepEqual(await p.shown(), ["a 123abc holds", "c cccc holds", "e eeee holds"]);
});

Deno.test("a guest of which a person says that it was fenced: its one-time key is preempted, recover closes", async () => {
  await using p = await Place.of(8);
  const handOver = await killWhileEvicting(p);
  const asked = await p.prmig("a", "recover", handOver);
  assert.equal(asked.code, 5, asked.stderr);
  const [, key] = /prmig preempt DEV --key (0x[0-9a-f]+)/.exec(asked.stderr)!;
  const preempted = await p.prmig("c", "preempt", p.address("c"), "--key", key!, "--type", "8");
  assert.equal(preempted.code, 0, preempted.stderr);
  const { code, stdout } = await p.prmig("a", "recover", handOver);
  assert.equal(code, 3);
  assert.match(stdout, /fenced: /);
  assert.deepEqual(await p.shown(), ["c cccc holds"]);
});

Deno.test("rollback takes a guest's LUNs back from a destination QEMU that died before the guest ran, though nothing is closed", async () => {
  await using p = await Place.of(5);
  const handOver = await p.move();
  // What prmig migrate leaves when the answer to `cont` was lost: the destination has taken, the source has not closed.
  const [journal, guest] = [`${p.directory}/a/journal/${handOver}.source`, `${p.directory}/a/guest/${handOver}.json`];
  const { outcome: _, ...entry } = JSON.parse(await Deno.readTextFile(`${journal}.closed.json`));
  await Deno.writeTextFile(`${journal}.json`, JSON.stringify({ ...entry, phase: "committing" }));
  await Deno.remove(`${journal}.closed.json`);
  await Deno.mkdir(`${p.directory}/a/guest`);
  const source = { kind: "socket", address: "/run/vm/qmp" };
  await Deno.writeTextFile(
    guest,
    JSON.stringify({ prmig: 1, handOver, gate: "paused", wasRunning: true, source, destination: null }),
  );
  const { code, stdout, stderr } = await p.prmig("a", "rollback", handOver);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /undone: the source holds as before/);
  assert.match(stderr, /the guest waits for cont on the source QEMU \(\/run\/vm\/qmp\)/);
  assert.deepEqual(await p.shown(), ["a 123abc holds", "c cccc"]);
  await assert.rejects(Deno.stat(guest), Deno.errors.NotFound);
});
