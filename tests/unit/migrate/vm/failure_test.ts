import assert from "node:assert/strict";
import { PrmigError } from "../../../../lib/errors.ts";
import type { VmGate } from "../../../../lib/migrate/vm/gates.ts";
import { attempt, look, type Seen, type VmScene, vmScene, type VmSceneOptions } from "../../../support/vm_scene.ts";

const AT_SOURCE: Seen = { counts: "src", lun: "A=K*", failedWrites: 0, gaps: 0 };
const AT_DESTINATION: Seen = { counts: "dst", lun: "B=K*", failedWrites: 0, gaps: 0 };

/** One row of the matrix: what goes wrong, and what must be true in the end. */
interface Row {
  readonly gate: VmGate;
  readonly what: string;
  readonly options?: VmSceneOptions;
  readonly harm: (s: VmScene) => void;
  readonly kind: string;
  readonly says?: RegExp;
  readonly seen: Partial<Seen>;
}

const at = (status: string, harm: (s: VmScene) => void) => (s: VmScene): void => {
  s.src.onStatus = (now) => {
    if (now === status) harm(s);
  };
};

const PER_GATE: readonly Omit<Row, "gate">[] = [
  {
    what: "the destination QEMU is killed while memory is sent",
    harm: at("active", (s) => void s.clock.sleep(100).then(() => s.dst.die())),
    kind: "failed",
    seen: AT_SOURCE,
  },
  {
    what: "somebody cancels the migration while memory is sent",
    harm: at("active", (s) => void s.clock.sleep(100).then(() => s.src.cancelByHand())),
    kind: "failed",
    says: /somebody cancelled/,
    seen: AT_SOURCE,
  },
  {
    what: "recv's connection is cut while memory is sent",
    harm: at("active", (s) => void s.clock.sleep(100).then(() => s.link.cut())),
    kind: "failed",
    says: /the connection to (prmig recv|the destination) ended/, // whichever side of it notices first
    seen: AT_SOURCE,
  },
  {
    what: "the user interrupts while memory is sent",
    harm: at("active", (s) => void s.clock.sleep(100).then(() => s.stop.abort())),
    kind: "interrupted",
    seen: AT_SOURCE,
  },
  {
    what: "the destination's LUN is another one",
    harm: (s) => s.destinationLun = () => Promise.resolve({ ...s.lun.b, designator: "naa.other" }),
    kind: "refused",
    says: /is naa\.other, but the source offers/,
    seen: AT_SOURCE,
  },
  {
    what: "the destination has no such LUN",
    harm: (s) =>
      s.destinationLun = () =>
        Promise.reject(new PrmigError("refused", { message: "No SCSI disk of this host is it", lun: "", remedy: "" })),
    kind: "refused",
    says: /No SCSI disk of this host/,
    seen: AT_SOURCE,
  },
  {
    what: "the source's QMP talks nonsense in the middle",
    harm: at("active", (s) => void s.clock.sleep(100).then(() => s.src.babble())),
    kind: "failed",
    says: /does not speak QMP/,
    seen: AT_SOURCE,
  },
  {
    what: "the source QEMU refuses to migrate",
    harm: (s) => s.src.fault = (command) => command === "migrate" ? "refuse" : null,
    kind: "failed",
    says: /it is not to be/,
    seen: AT_SOURCE,
  },
];

/** It resumes by itself a moment before its LUN is back: the one window there is, and a write or two are lost in it. */
const RESUMED_TOO_EARLY: Partial<Seen> = { counts: "src", lun: "A=K*", gaps: 0 };

const ROWS: readonly Row[] = [
  ...(["paused", "completed", "switchover"] as const).map((gate) => ({
    gate,
    what: "the destination QEMU refuses the guest's state",
    harm: (s: VmScene) => void (s.dst.refusesLoad = true),
    kind: "failed",
    says: /gave the migration up/,
    seen: gate === "switchover" ? RESUMED_TOO_EARLY : AT_SOURCE,
  })),
  ...(["paused", "completed", "switchover"] as const).flatMap((gate) => PER_GATE.map((row) => ({ ...row, gate }))),
  {
    gate: "paused",
    what: "the destination QEMU is killed at the gate, before take",
    harm: at("completed", (s) => s.dst.die()),
    kind: "failed",
    seen: AT_SOURCE,
  },
  {
    gate: "paused",
    what: "the destination QEMU is killed after take, before it runs",
    harm: (s) => s.dst.fault = (command) => command === "cont" ? "die" : null,
    // Nobody can know whether it ran for a moment; the LUN stays where the guest may be.
    kind: "unsure",
    says: /Cannot tell whether the guest runs/,
    seen: { counts: "nowhere", lun: "B=K*", failedWrites: 0 },
  },
  {
    gate: "paused",
    what: "the destination QEMU refuses to run",
    harm: (s) => s.dst.fault = (command) => command === "cont" ? "refuse" : null,
    kind: "failed",
    seen: AT_SOURCE,
  },
  {
    gate: "paused",
    what: "the answer to cont is lost, but the guest runs",
    harm: (s) => s.dst.fault = (command) => command === "cont" ? "lost answer" : null,
    kind: "ok",
    seen: AT_DESTINATION,
  },
  {
    gate: "paused",
    what: "recv's connection is cut at the gate",
    harm: at("completed", (s) => s.link.cut()),
    kind: "ok", // the LUN tells the destination all it has to know
    seen: AT_DESTINATION,
  },
  {
    gate: "completed",
    what: "recv's connection is cut at the gate",
    harm: at("completed", (s) => s.link.cut()),
    kind: "ok",
    seen: AT_DESTINATION,
  },
  {
    gate: "switchover",
    what: "recv's connection is cut at the gate",
    harm: at("pre-switchover", (s) => s.link.cut()),
    kind: "ok",
    seen: AT_DESTINATION,
  },
  {
    gate: "paused",
    what: "the source QEMU dies when it has sent everything",
    harm: at("completed", (s) => s.src.die()),
    kind: "ok",
    seen: AT_DESTINATION,
  },
  {
    gate: "switchover",
    what: "the destination QEMU is killed at the gate, before take",
    harm: at("pre-switchover", (s) => s.dst.die()),
    kind: "failed",
    seen: AT_SOURCE, // its monitor tells, before the source could resume without its LUN
  },
  {
    gate: "switchover",
    what: "the destination QEMU is killed at the gate, and nobody sees it",
    options: { monitored: false },
    harm: at("pre-switchover", (s) => s.dst.die()),
    kind: "failed",
    seen: RESUMED_TOO_EARLY,
  },
  {
    gate: "switchover",
    what: "somebody cancels at the gate",
    options: { monitored: false, commandMs: 1 },
    harm: (s) => void at("pre-switchover", () => void s.clock.sleep(4).then(() => s.src.cancelByHand()))(s),
    kind: "failed",
    seen: RESUMED_TOO_EARLY,
  },
  {
    gate: "switchover",
    what: "the destination hangs after migrate-continue, for ever",
    options: { monitored: false },
    harm: (s) => s.dst.hangsAtLoad = true,
    kind: "unsure",
    says: /Cannot tell where the guest is/,
    seen: { counts: "nowhere", lun: "B=K*", failedWrites: 0 },
  },
  {
    gate: "switchover",
    what: "the destination hangs after migrate-continue and is killed later",
    options: { monitored: false },
    harm: (s) => {
      s.dst.hangsAtLoad = true;
      at("device", () => void s.clock.sleep(2000).then(() => s.dst.die()))(s);
    },
    kind: "failed",
    seen: RESUMED_TOO_EARLY,
  },
  {
    gate: "completed",
    what: "the destination hangs after migrate-continue, for ever",
    harm: (s) => s.dst.hangsAtLoad = true,
    kind: "unsure",
    seen: { counts: "nowhere", failedWrites: 0 },
  },
  {
    gate: "completed",
    what: "the destination hangs after migrate-continue and is killed later",
    harm: (s) => {
      s.dst.hangsAtLoad = true;
      at("device", () => void s.clock.sleep(2000).then(() => s.dst.die()))(s);
    },
    kind: "failed",
    seen: AT_SOURCE,
  },
];

for (const { gate, what, options, harm, kind, says, seen } of ROWS) {
  Deno.test(`gate ${gate}: ${what}: ${kind}`, async () => {
    using s = await vmScene({ gate, monitored: gate !== "completed", ...options });
    harm(s);
    const { kind: ended, message } = await attempt(s);
    assert.equal(ended, kind, message);
    if (says) assert.match(message, says);
    await Promise.race([s.recv, s.clock.sleep(60_000)]);
    const found = await look(s);
    assert.deepEqual({ ...found, ...seen }, found);
    assert.notEqual(found.counts, "both");
  });
}
