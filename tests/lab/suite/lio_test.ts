/**
 * The lab itself: what all other tests in it take for granted.
 */
import assert from "node:assert/strict";
import {
  drainAttentions,
  freshLab,
  lab,
  labTest,
  lun,
  preempt,
  read,
  readState,
  register,
  reserve,
  resetLun,
  run,
  sgPersist,
  write,
} from "../support.ts";

const K = 0x123abcn;
const OTHER = 0xdef0n;

labTest("both LUNs are there, each behind three nexuses, and nobody has touched them", async () => {
  const { luns } = lab();
  assert.equal(luns.length, 2);
  assert.notEqual(luns[0]!.designator, luns[1]!.designator);
  const nodes = luns.flatMap(({ nexuses }) => Object.values(nexuses).flatMap(({ sd, sg }) => [sd, sg]));
  assert.equal(new Set(nodes).size, 12);
  for (const { nexuses } of luns) {
    for (const path of Object.values(nexuses)) {
      assert.deepEqual(await readState(path), { generation: 0, registrants: [], reservation: null });
      assert.equal(await Deno.realPath(path.byId), path.sd);
      assert.equal(await Deno.realPath(path.byPath), path.sd);
    }
  }
});

labTest("$PRMIG_LAB_JSON says what sysfs says", async () => {
  assert.deepEqual(JSON.parse(await Deno.readTextFile(Deno.env.get("PRMIG_LAB_JSON")!)), lab());
});

labTest("the nexuses are distinct in READ FULL STATUS, and all see the same LUN", async () => {
  const { A, B, C } = lun().nexuses;
  await register(A, K);
  await register(B, K);
  await register(C, OTHER);
  await reserve(A, K, 5);
  const seen = await readState(B);
  assert.equal(seen.generation, 3);
  assert.deepEqual(seen.reservation, { key: K, type: 5 });
  assert.deepEqual(
    seen.registrants.map(({ key, holder, initiatorPort }) => ({ key, holder, initiatorPort })),
    [
      { key: K, holder: true, initiatorPort: A.initiatorPort },
      { key: K, holder: false, initiatorPort: B.initiatorPort },
      { key: OTHER, holder: false, initiatorPort: C.initiatorPort },
    ],
  );
  assert.deepEqual(await readState(C), seen);
  assert.deepEqual((await readState(lun(1).nexuses.A)).registrants, []);
});

labTest("a reservation lets its holder write and keeps a stranger out; preempting turns it round", async () => {
  const { A, B, C } = lun().nexuses;
  await register(A, K);
  await register(B, OTHER);
  await reserve(A, K, 3);
  assert.equal(await write(A), "ok");
  assert.equal(await write(B), "conflict");
  assert.equal(await read(C), "conflict");
  await preempt(B, OTHER, K, 3);
  const { registrants, reservation } = await readState(C);
  assert.deepEqual(reservation, { key: OTHER, type: 3 });
  assert.deepEqual(registrants.map(({ key }) => key), [OTHER]);
  assert.equal(await write(B), "ok");
  assert.equal(await write(A), "conflict");
});

labTest("whoever is preempted gets a unit attention, once", async () => {
  const { A, B } = lun().nexuses;
  await register(A, K);
  await reserve(A, K, 5);
  await register(B, OTHER);
  await preempt(B, OTHER, K, 5);
  const first = await sgPersist(["--in", "--read-keys", A.sg]);
  assert.equal(first.code, 6);
  assert.match(first.stderr, /Registrations preempted/i);
  assert.equal((await sgPersist(["--in", "--read-keys", A.sg])).code, 0);
});

labTest("each of the six types reads back as what was reserved", async () => {
  const { A, B } = lun().nexuses;
  await register(A, K);
  for (const type of [1, 3, 5, 6, 7, 8]) {
    await reserve(A, K, type);
    const { reservation } = await readState(B);
    assert.deepEqual(reservation, { key: type >= 7 ? 0n : K, type });
    const release = ["--out", "--release", `--param-rk=0x${K.toString(16)}`, `--prout-type=${type}`, A.sg];
    assert.equal((await sgPersist(release)).code, 0);
    await drainAttentions();
  }
});

labTest("a reset leaves nothing behind: no registration, no reservation, no unit attention, only zeros", async () => {
  const { A, B } = lun().nexuses;
  await register(A, K);
  await register(B, OTHER);
  await reserve(A, K, 6);
  assert.equal((await run(["sg_dd", "if=/proc/version", `of=${A.sg}`, "bs=512", "count=1", "seek=7"])).code, 0);
  const fresh = await resetLun();
  for (const path of [...Object.values(fresh.nexuses), ...Object.values(lun(1).nexuses)]) {
    assert.equal((await run(["sg_turs", path.sg])).code, 0, `${path.sg} has a unit attention left`);
    assert.deepEqual(await readState(path), { generation: 0, registrants: [], reservation: null });
  }
  const block = await run(["sg_dd", `if=${fresh.nexuses.B.sg}`, "of=-", "bs=512", "count=1", "skip=7"]);
  assert.equal(block.stdout, "\0".repeat(512));
});

labTest("a LUN that an SPC-2 RESERVE keeps from being read is made anew, too", async () => {
  const { A, B } = lun().nexuses;
  assert.equal((await run(["sg_raw", B.sg, ..."16 00 00 00 00 00".split(" ")])).code, 0);
  await assert.rejects(readState(A), /Reservation conflict/);
  await freshLab();
  assert.deepEqual(await readState(lun().nexuses.A), { generation: 0, registrants: [], reservation: null });
});
