import assert from "node:assert/strict";
import { PrmigError } from "../../../../lib/errors.ts";
import { formerly, neededOnDestination, neededOnSource } from "../../../../lib/migrate/vm/capabilities.ts";
import { type GuestDisk, hostDevice } from "../../../../lib/migrate/vm/disks.ts";
import { chooseGate, type GateFacts } from "../../../../lib/migrate/vm/gates.ts";
import { whoMoves } from "../../../../lib/migrate/vm/migrate_pr.ts";
import { attempt, look, vmScene } from "../../../support/vm_scene.ts";

const refuses = (kind: string, text: RegExp) => (error: unknown): boolean => {
  assert(error instanceof PrmigError, String(error));
  assert.equal(error.kind, kind);
  assert.match(error.message, text);
  return true;
};

Deno.test("hostDevice() finds the path in what QEMU says of a node", () => {
  const cases: [string, string | null][] = [
    ["/dev/sdb", "/dev/sdb"],
    ['json:{"driver":"host_device","filename":"/dev/mapper/mpatha","pr-manager":"h0"}', "/dev/mapper/mpatha"],
    ['json:{"driver":"raw","file":{"driver":"host_device","filename":"/dev/sdc"}}', "/dev/sdc"],
    ["/dev/fdset/3", null],
    ["/var/lib/disk.img", null],
    ['json:{"driver":"null-co"}', null],
    ["json:{", null],
    ["", null],
  ];
  for (const [file, device] of cases) assert.equal(hostDevice({ file }), device, file);
});

Deno.test("chooseGate() takes the safest gate there is", () => {
  const cases: [GateFacts, string][] = [
    [{ types: [5], destinationReachable: true }, "paused"],
    [{ types: [1], destinationReachable: true }, "paused"],
    [{ types: [], destinationReachable: false }, "completed"],
    [{ types: [0, 5, 6, 7, 8], destinationReachable: false }, "completed"],
    [{ types: [5, 1], destinationReachable: false }, "switchover"],
    [{ types: [3], destinationReachable: false }, "switchover"],
    [{ types: [5], destinationReachable: true, asked: "switchover" }, "switchover"],
    [{ types: [5], destinationReachable: true, asked: "completed" }, "completed"],
  ];
  for (const [facts, gate] of cases) assert.equal(chooseGate(facts).gate, gate, JSON.stringify(facts));
  assert.throws(
    () => chooseGate({ types: [5], destinationReachable: false, asked: "paused" }),
    refuses("usage", /QMP/),
  );
  assert.throws(
    () => chooseGate({ types: [3], destinationReachable: true, asked: "completed" }),
    refuses("usage", /only the holder may write/),
  );
});

const disk = (migratePr?: boolean): GuestDisk => ({ qdev: "d0", driver: "scsi-block", device: "/dev/sdb", migratePr });

Deno.test("whoMoves(): on at both ends QEMU, off or absent prmig, mixed nobody", () => {
  assert.equal(whoMoves([disk()], null), "prmig");
  assert.equal(whoMoves([disk(false)], [disk()]), "prmig");
  assert.equal(whoMoves([disk(true)], [disk(true)]), "qemu");
  assert.equal(whoMoves([disk(true)], null), "qemu");
  for (const [source, destination] of [[true, false], [false, true], [true, undefined]]) {
    assert.throws(() => whoMoves([disk(source)], [disk(destination)]), refuses("refused", /both move.*or neither/));
  }
  assert.throws(() => whoMoves([disk(true), disk(false)], null), refuses("refused", /migrate-pr is on/));
});

Deno.test("capabilities: only what differs is set, and given back as it was; what has no one moment is refused", () => {
  const known = new Map([["events", true], ["return-path", false], ["pause-before-switchover", false]]);
  const wanted = neededOnSource(known, "switchover");
  assert.deepEqual([...wanted], [["return-path", true], ["pause-before-switchover", true]]);
  assert.deepEqual([...formerly(known, wanted)], [["return-path", false], ["pause-before-switchover", false]]);
  assert.deepEqual([...neededOnSource(known, "paused")], [["return-path", true]]);
  assert.deepEqual([...neededOnDestination(new Map([["events", false]]))], [["events", true]]);
  assert.throws(() => neededOnSource(new Map([["postcopy-ram", true]]), "paused"), refuses("refused", /postcopy-ram/));
  assert.throws(() => neededOnSource(new Map(), "switchover"), refuses("refused", /cannot pause/));
});

Deno.test("both QEMUs have their capabilities back, after success and after failure", async () => {
  for (const fails of [false, true]) {
    using s = await vmScene({ gate: "switchover", source: { on: ["return-path"] } });
    s.dst.refusesLoad = fails;
    await attempt(s);
    const on = (qemu: typeof s.src): string[] => [...qemu.capabilities].flatMap(([name, state]) => state ? [name] : []);
    assert.deepEqual(on(s.src), ["return-path"]);
    if (!fails) assert.deepEqual(on(s.dst), []);
  }
});

Deno.test("a guest that stood still stands still at the destination, with its reservation", async () => {
  for (const gate of ["paused", "switchover"] as const) {
    using s = await vmScene({ gate });
    s.src.runState = "paused";
    const { kind, lun } = await attempt(s);
    assert.deepEqual([kind, lun], ["ok", "stands still on the destination (paused)"]);
    assert.equal((await look(s)).lun, "B=K*");
  }
});

Deno.test("what cannot be moved is refused before anything is touched", async () => {
  const cases: [(s: Awaited<ReturnType<typeof vmScene>>) => void, RegExp][] = [
    [(s) => s.src.runState = "io-error", /the state io-error/],
    [(s) => s.src.runState = "postmigrate", /the state postmigrate/],
    [(s) => s.src.migration = "active", /another migration/],
    [(s) => s.dst.runState = "running", /does not wait for a guest/],
  ];
  for (const [spoil, says] of cases) {
    using s = await vmScene();
    spoil(s);
    const { kind, message } = await attempt(s);
    assert.equal(kind, "refused", message);
    assert.match(message, says);
    assert.equal(await s.recv, "never started");
    assert(!s.src.told.includes("migrate"));
  }
});

Deno.test("the address is found from the destination's monitor; without either it is asked for", async () => {
  using found = await vmScene({ uri: null });
  assert.equal((await attempt(found)).kind, "ok");
  assert.equal(found.plans[0]!.uri, "unix:/run/mig");
  using missing = await vmScene({ uri: null, monitored: false });
  const { kind, message } = await attempt(missing);
  assert.deepEqual([kind, /--uri is missing/.test(message)], ["usage", true]);
});

Deno.test("a deferred destination is told where to listen", async () => {
  using s = await vmScene({ destination: { incoming: "defer" } });
  assert.equal((await attempt(s)).kind, "ok");
  assert(s.dst.told.includes("migrate-incoming"));
});

Deno.test("migrate-pr on at both ends: prmig sends no PERSISTENT RESERVE OUT, and says that nothing arrived", async () => {
  using s = await vmScene({ source: { migratePr: true }, destination: { migratePr: true } });
  const before = s.lun.lun.history.filter(({ cdb }) => cdb[0] === 0x5f).length;
  // This simulated QEMU does not move anything, whatever it promises.
  const { kind, message, remedy } = await attempt(s);
  assert.equal(kind, "refused");
  assert.match(message, /moved the guest, but not its reservation/);
  assert.match(remedy, /prmig send/);
  assert.equal(s.lun.lun.history.filter(({ cdb }) => cdb[0] === 0x5f).length, before);
});

Deno.test("io-error after a roll back: continued by a QEMU that can, left alone by one that would abort", async () => {
  for (const [version, counts, kind] of [[[9, 1], "src", "failed"], [[7, 2], "nowhere", "unsure"]] as const) {
    using s = await vmScene({
      gate: "switchover",
      monitored: false,
      source: { version, stopOnConflict: true },
    });
    s.src.onStatus = (status) => {
      if (status === "pre-switchover") s.dst.die();
    };
    const ended = await attempt(s);
    assert.equal(ended.kind, kind, ended.message);
    const seen = await look(s);
    assert.deepEqual([seen.counts, seen.lun], [counts, "A=K*"]);
    if (kind === "unsure") assert.match(ended.remedy, /may abort/);
  }
});
