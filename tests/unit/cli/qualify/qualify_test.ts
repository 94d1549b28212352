/** `prmig qualify` as it is typed, on simulated LUNs in files: verdict, exit code, reports, refusals, other hosts. */
import assert from "node:assert/strict";
import { prOut } from "../../../../lib/pr/commands.ts";
import { SCENARIOS } from "../../../../lib/qualify/scenarios.ts";
import { openSimNexus, readSimLun } from "../../../../lib/sim/open.ts";
import { main } from "../../../../lib/cli/main.ts";
import { BINARY, memoryWorld, prmig } from "../../../support/cli_world.ts";

const ROOT = new URL("../../../../", import.meta.url).pathname;

/** A directory with a simulated LUN, and a stand-in for ssh that runs prmig, the built file or the sources, in a process of its own. */
class Bench implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "prmig-qualify-" });
  readonly file = `${this.directory}/lun.json`;
  readonly ssh = `${this.directory}/ssh`;

  constructor() {
    // As sshd does it: the words behind the host are a line for the shell of the user.
    const prmigThere = BINARY ?? `${Deno.execPath()} run -A --quiet --no-check ${ROOT}main.ts`;
    const script =
      `#!/bin/sh\nprmig() { exec ${prmigThere} "$@"; }\necho $$ >${this.directory}/pid\nshift\neval "$*"\n`;
    Deno.writeTextFileSync(this.ssh, script, { mode: 0o755 });
  }

  nexus(name: string): string {
    return `sim:${this.file}?nexus=${name}&create`;
  }

  there(name: string): string {
    return `ssh:dst:${this.nexus(name)}`;
  }

  async register(name: string, key: bigint): Promise<void> {
    const nexus = await openSimNexus(this.nexus(name));
    assert.equal((await prOut(nexus, { action: "register", rk: 0n, sark: key, aptpl: false })).status, 0);
    nexus.close();
  }

  async keys(): Promise<bigint[]> {
    return (await readSimLun(this.file)).registrations.map(({ key }) => key);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.directory, { recursive: true });
  }
}

Deno.test("qualify: a simulated LUN is fit, each time, and left clean", async () => {
  await using bench = new Bench();
  const words = ["qualify", ...["A", "B", "C"].map((name) => bench.nexus(name))];
  const first = await prmig([...words, "--json"]);
  assert.deepEqual([first.code, first.stderr], [0, ""]);
  const report = JSON.parse(first.stdout);
  assert.equal(report.verdict, "fit");
  assert.deepEqual([report.limits, report.obstacles, report.notes], [[], [], []]);
  assert.equal(report.scenarios.length, SCENARIOS.length);
  const again = JSON.parse((await prmig([...words, "--json"])).stdout);
  assert.deepEqual([again.verdict, again.scenarios], [report.verdict, report.scenarios]);
  const text = await prmig(words);
  assert.equal(text.code, 0);
  assert.match(text.stdout, /\n {2}hand-over {14} +5 +- +- +4\n/);
  assert.match(text.stdout, /\nfit: PRMIG SIMULATED LUN, naa\.[0-9a-f]+ does all that moving reservations needs\n$/);
  assert.deepEqual(await bench.keys(), []);
});

Deno.test("qualify: with two nexuses, scenarios that need a third are not run, and named", async () => {
  await using bench = new Bench();
  const { code, stdout } = await prmig(["qualify", bench.nexus("A"), bench.nexus("B"), "--json"]);
  const { verdict, notRun, scenarios } = JSON.parse(stdout);
  assert.deepEqual([code, verdict], [0, "fit"]);
  const third = notRun.find(({ reason }: { reason: string }) => reason === "needs a third nexus").scenarios;
  assert.ok(third.includes("C90") && third.includes("C51"));
  const passed = scenarios.filter((each: { verdict: string }) => each.verdict === "pass");
  assert.ok(passed.some(({ id }: { id: string }) => id === "C90-pair"));
});

Deno.test("qualify: a target that differs is no more than fit with limits, which are named; the exit code says so", async () => {
  await using bench = new Bench();
  const scst = ["A", "B", "C"].map((name) => `${bench.nexus(name)}&profile=scst`);
  const { code, stdout } = await prmig(["qualify", ...scst, "--json"]);
  const { verdict, limits } = JSON.parse(stdout);
  assert.deepEqual([code, verdict], [1, "fit with limits"]);
  assert.deepEqual(
    limits.flatMap(({ scenarios }: { scenarios: string[] }) => scenarios),
    ["C59", "C62", "C63", "C75"],
  );
});

Deno.test("qualify: JUnit XML is well-formed, the HTML page needs nothing else, and both hold every scenario", async () => {
  await using bench = new Bench();
  const [xmlFile, pageFile] = [`${bench.directory}/r.xml`, `${bench.directory}/r.html`];
  const lio = ["A", "B", "C"].map((name) => `${bench.nexus(name)}&profile=lio`);
  const { code } = await prmig(["qualify", ...lio, "--junit", xmlFile, "--html", pageFile]);
  assert.notEqual(code, 0);
  const xml = Deno.readTextFileSync(xmlFile);
  const names = elements(xml);
  const count = (name: string): number => names.filter((each) => each === name).length;
  assert.equal(count("testcase"), SCENARIOS.length);
  assert.ok(count("failure") > 0 && count("skipped") > 0);
  assert.match(
    xml,
    new RegExp(`<testsuites name="prmig qualify" tests="${SCENARIOS.length}" failures="${count("failure")}"`),
  );
  const page = Deno.readTextFileSync(pageFile);
  for (const { id } of SCENARIOS) assert.ok(page.includes(` id="${id}"`), id);
  assert.doesNotMatch(page, /<script|<link|<img|src=|href="(?!#)|url\(|@import/);
  assert.match(page, /PERSISTENT RESERVE OUT, PREEMPT, type 5 .*rk=0x70726d6700000002/);
});

/** Element names in order; fails unless every tag is closed in its turn and no text holds a bare `<`. */
function elements(xml: string): string[] {
  const names: string[] = [], open: string[] = [];
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<!--(?:(?!--).)*-->\n/, "");
  const rest = body.replaceAll(/<(\/?)([a-z-]+)((?:\s+[a-z]+="[^"<]*")*)(\/?)>/g, (_, end, name, __, empty) => {
    if (end) assert.equal(open.pop(), name);
    else {
      names.push(name);
      if (!empty) open.push(name);
    }
    return "";
  });
  assert.deepEqual([open, /<|&(?!amp;|lt;|gt;|quot;)/.exec(rest)?.[0]], [[], undefined]);
  return names;
}

Deno.test("qualify: registrations of others are refused, and removed only when --scratch names the LUN", async () => {
  await using bench = new Bench();
  await bench.register("C", 0xabcn);
  const words = ["qualify", bench.nexus("A"), bench.nexus("B")];
  const refused = await prmig(words);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /this may be no scratch LUN: a registration under 0x0000000000000abc/);
  const designator = /--scratch (\S+)/.exec(refused.stderr)![1]!;
  const wrong = await prmig([...words, "--scratch", "naa.0"]);
  assert.equal(wrong.code, 2);
  assert.deepEqual(await bench.keys(), [0xabcn]);
  const told = await prmig([...words, "--scratch", designator]);
  assert.equal(told.code, 0, told.stderr);
  assert.match(told.stderr, /^note: removed, as --scratch says: a registration under 0x0000000000000abc/);
  assert.deepEqual(await bench.keys(), []);
});

Deno.test("qualify: what a killed run has left is removed, and said; by a nexus that does not take part, too", async () => {
  await using bench = new Bench();
  await bench.register("A", 0x70726d6700000001n);
  await bench.register("C", 0x70726d67000000f2n);
  const { code, stderr } = await prmig(["qualify", bench.nexus("A"), bench.nexus("B")]);
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /note: an earlier run was interrupted: 2 of its registrations are removed \(0x70726d6700000001, 0x70726d67000000f2\)/,
  );
  assert.deepEqual(await bench.keys(), []);
});

Deno.test("qualify: a RESERVE(6) of these nexuses is given back, one of another initiator is refused", async () => {
  await using bench = new Bench();
  const reserve = async (name: string): Promise<void> => {
    const nexus = await openSimNexus(bench.nexus(name));
    assert.equal((await nexus.execute(Uint8Array.of(0x16, 0, 0, 0, 0, 0), 0)).status, 0);
    nexus.close();
  };
  const words = ["qualify", bench.nexus("A"), bench.nexus("B")];
  await reserve("B");
  const given = await prmig(words);
  assert.equal(given.code, 0, given.stderr);
  assert.match(given.stderr, /note: a reservation by RESERVE\(6\) of these nexuses is given back/);
  await reserve("C");
  const refused = await prmig(words);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /another initiator has reserved it by RESERVE\(6\)/);
});

Deno.test("qualify: one nexus, two LUNs, one device, four devices, a file system are refused", async () => {
  await using bench = new Bench();
  const other = `sim:${bench.directory}/other.json?nexus=B&create`;
  const says = async (words: readonly string[], code: number, why: RegExp): Promise<void> => {
    const ran = await prmig(["qualify", ...words]);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, why);
  };
  await says([bench.nexus("A"), bench.nexus("A")], 3, /one and the same nexus/);
  await says([bench.nexus("A"), bench.nexus("a")], 3, /one and the same nexus/);
  await says([bench.nexus("A"), other], 3, /not the same LUN: .* is naa\..*, .* is naa\./);
  await says([bench.nexus("A")], 2, /DEV|two nexuses/);
  await says(["A", "B", "C", "D"].map((name) => bench.nexus(name)), 2, /two nexuses are needed, or three/);
  await says([bench.nexus("A"), "ssh:-oProxyCommand=x:/dev/sdb"], 2, /names no device of another host/);
  const nexus = await openSimNexus(bench.nexus("A"));
  const block = new Uint8Array(512);
  block.set(new TextEncoder().encode("EFI PART"));
  await nexus.execute(Uint8Array.of(0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0), block);
  nexus.close();
  await says([bench.nexus("A"), bench.nexus("B")], 3, /holds a GPT partition table/);
  assert.deepEqual(await bench.keys(), []);
});

Deno.test("qualify: through another host the verdict is the same, and nothing stays there", async () => {
  await using bench = new Bench();
  const { code, stdout, stderr } = await prmig([
    ...["qualify", bench.nexus("A"), bench.there("B"), bench.there("C"), "--ssh", bench.ssh, "--json"],
  ]);
  assert.equal(code, 0, stderr);
  const { verdict, scenarios } = JSON.parse(stdout);
  assert.equal(verdict, "fit");
  assert.equal(scenarios.filter((each: { verdict: string }) => each.verdict === "pass").length > 90, true);
  assert.deepEqual(await bench.keys(), []);
});

Deno.test("qualify: the connection is cut in the middle: the LUN is clean, and the error says what failed", async () => {
  await using bench = new Bench();
  const running = prmig(["qualify", bench.nexus("A"), bench.there("B"), "--ssh", bench.ssh]);
  await until(async () => (await bench.keys().catch(() => [])).length > 0);
  Deno.kill(Number(Deno.readTextFileSync(`${bench.directory}/pid`)), "SIGKILL");
  const { code, stderr } = await running;
  assert.equal(code, 4, stderr);
  assert.match(stderr, /error: Cannot go on with ssh:dst:.*\n[^]*LUN: Clean: /);
  assert.deepEqual(await bench.keys(), []);
});

Deno.test("qualify: a host that cannot be reached, and one where the device is not there", async () => {
  await using bench = new Bench();
  const gone = await prmig(["qualify", bench.nexus("A"), bench.there("B"), "--ssh", "exit 255;"]);
  assert.equal(gone.code, 4);
  assert.match(gone.stderr, /Cannot reach ssh:dst:.*: the connection has ended/);
  const absent = await prmig(["qualify", bench.nexus("A"), "ssh:dst:/dev/nowhere", "--ssh", bench.ssh]);
  assert.equal(absent.code, 4);
  assert.match(absent.stderr, /Cannot open \/dev\/nowhere: there is no such file/);
});

Deno.test("qualify: an interrupt ends it with 130, and the LUN is clean", async () => {
  await using bench = new Bench();
  const world = memoryWorld();
  const running = main(["qualify", bench.nexus("A"), bench.nexus("B"), bench.nexus("C")], world);
  await until(async () => (await bench.keys().catch(() => [])).length > 0);
  world.interrupt("SIGINT");
  assert.equal(await running, 130);
  assert.match(world.stderr(), /error: interrupted by SIGINT\n {2}LUN: as before/);
  assert.deepEqual(await bench.keys(), []);
});

Deno.test("qualify: killed by SIGKILL in the middle, both here and there: the next start cleans up", async () => {
  await using bench = new Bench();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--no-check", `${ROOT}main.ts`, "qualify"],
      ...[bench.nexus("A"), bench.there("B"), "--ssh", bench.ssh],
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(async () => (await bench.keys().catch(() => [])).length > 0);
  child.kill("SIGKILL");
  await child.status;
  // The far end takes back what was registered through it when it sees the end of its input.
  const pid = Number(Deno.readTextFileSync(`${bench.directory}/pid`));
  await until(() => Promise.resolve(!isAlive(pid)));
  const { code, stderr } = await prmig(["qualify", bench.nexus("A"), bench.nexus("B")]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await bench.keys(), []);
});

function isAlive(pid: number): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/stat`).split(" ")[2] !== "Z";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !await holds(); waited += 5) {
    assert.ok(waited < 60_000, "it never came");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
