/**
 * `prmig qualify` on the kernel's own target: the same verdict each time, no scratch LUN that is none, and a LUN without a
 * registration of the scenarios however it ends.
 */
import assert from "node:assert/strict";
import { labTest, lun, prmig, prmigCommand, readState, register, run, start, write } from "../support.ts";

/** Emulated machines are slow; how long it took is printed. */
const PATIENT = { timeoutMs: 180_000 };

interface Report {
  readonly verdict: string;
  readonly seconds: number;
  readonly commands: number;
  readonly notes: readonly string[];
  readonly limits: readonly { readonly says: string; readonly scenarios: readonly string[] }[];
  readonly obstacles: readonly unknown[];
  readonly notRun: readonly { readonly reason: string; readonly scenarios: readonly string[] }[];
  readonly scenarios: readonly { readonly id: string; readonly verdict: string }[];
}

function devices(): string[] {
  const { A, B, C } = lun().nexuses;
  return [A.sg, B.sg, C.sg];
}

async function qualify(words: readonly string[]): Promise<Report> {
  const { code, stdout, stderr } = await prmig(["qualify", ...words, "--json"], PATIENT);
  assert.equal(code, 1, stderr); // fit with limits
  return JSON.parse(stdout);
}

async function assertClean(): Promise<void> {
  const { registrants, reservation } = await readState(lun().nexuses.A);
  assert.deepEqual([registrants, reservation], [[], null]);
  assert.equal(await write(lun().nexuses.B), "ok");
}

labTest("qualify: LIO is fit with limits, each a known deviation, by three nexuses and by two, and again", async () => {
  const first = await qualify(devices());
  assert.deepEqual([first.verdict, first.obstacles], ["fit with limits", []]);
  assert.deepEqual(first.scenarios.filter(({ verdict }) => verdict === "fail"), []);
  await assertClean();
  const again = await qualify(devices());
  assert.deepEqual([again.verdict, again.scenarios], [first.verdict, first.scenarios]);
  const pair = await qualify(devices().slice(0, 2));
  assert.equal(pair.verdict, "fit with limits");
  const third = pair.notRun.find(({ reason }) => reason === "needs a third nexus");
  assert.ok(third?.scenarios.includes("C90"));
  await assertClean();
  const took = [first, again, pair].map(({ seconds, commands }) => `${seconds.toFixed(1)} s (${commands} commands)`);
  console.log(`qualify on LIO through tcm_loop, three nexuses, again, two: ${took.join(", ")}`);
});

labTest("qualify: killed in the middle, the next start takes away what is left, and says so", async () => {
  const { A } = lun().nexuses;
  const running = start(prmigCommand(["qualify", ...devices()]), PATIENT);
  let ended = false;
  void running.finished.then(() => ended = true);
  while ((await readState(A)).registrants.length === 0) assert.ok(!ended, running.printed().stderr);
  running.kill("SIGKILL");
  await running.finished;
  // It may have died between two scenarios, when nothing was registered: then there is nothing to say.
  const left = (await readState(A)).registrants;
  assert.ok(left.every(({ key }) => key >> 32n === 0x70726d67n));
  const next = await qualify(devices());
  assert.equal(next.notes.some((note) => note.includes("interrupted")), left.length > 0);
  await assertClean();
});

labTest("qualify: SIGINT ends it with 130 and a clean LUN", async () => {
  const { A } = lun().nexuses;
  const running = start(prmigCommand(["qualify", ...devices()]), PATIENT);
  let ended = false;
  void running.finished.then(() => ended = true);
  while ((await readState(A)).registrants.length === 0) assert.ok(!ended, running.printed().stderr);
  running.kill("SIGINT");
  const { code, stderr } = await running.finished;
  assert.equal(code, 130, stderr);
  await assertClean();
});

labTest(
  "qualify: what is left of a killed run is taken away; keys of others are not, unless --scratch says so",
  async () => {
    const { designator, nexuses: { A, B, C } } = lun();
    await register(A, 0x70726d6700000001n);
    await register(B, 0x70726d67000000f1n);
    await register(C, 0xabcn);
    const pair = [A.sg, B.sg];
    const refused = await prmig(["qualify", ...pair], PATIENT);
    assert.equal(refused.code, 3, refused.stderr);
    assert.match(refused.stderr, /interrupted: 2 of its registrations are removed/);
    assert.match(refused.stderr, /registration under 0x0000000000000abc/);
    assert.deepEqual((await readState(A)).registrants.map(({ key }) => key), [0xabcn]);
    const { notes } = await qualify([...pair, "--scratch", designator]);
    assert.match(notes.join(), /removed, as --scratch says: a registration under 0x0000000000000abc/);
    await assertClean();
  },
);

labTest("qualify: refuses one nexus twice, two LUNs, a partitioned LUN and a mounted one", async () => {
  const { A, B } = lun().nexuses;
  const says = async (words: readonly string[], why: RegExp): Promise<void> => {
    const { code, stderr } = await prmig(["qualify", ...words], PATIENT);
    assert.equal(code, 3, stderr);
    assert.match(stderr, why);
  };
  await says([A.sg, A.sd], /one and the same nexus/);
  await says([A.sg, lun(1).nexuses.B.sg], /not the same LUN/);
  assert.equal((await run(["mkfs.ext4", "-q", "-F", B.sd])).code, 0);
  await says([A.sg, B.sg], /holds a file system \(ext\)/);
  await Deno.mkdir("/run/prmig-mounted", { recursive: true });
  assert.equal((await run(["mount", B.sd, "/run/prmig-mounted"])).code, 0);
  try {
    await says([A.sg, B.sg], /is mounted on \/run\/prmig-mounted/);
    await says([A.sg, B.sg, "--scratch", lun().designator], /--scratch does not override this/);
  } finally {
    await run(["umount", "/run/prmig-mounted"]);
  }
  assert.equal((await run(["dd", "if=/dev/zero", `of=${B.sd}`, "bs=64k", "count=4", "conv=fsync"])).code, 0);
});
