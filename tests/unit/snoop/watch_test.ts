import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import type { Outcome } from "../../../lib/scsi/outcome.ts";
import type { PrEvent } from "../../../lib/snoop/event.ts";
import type { KernelPath } from "../../../lib/snoop/kernel/paths.ts";
import { type HelperFeed, type LunStatus, Watch, type WatchTarget } from "../../../lib/snoop/watch.ts";
import { HandClock, HandKernel, Scene, settle, told } from "./watch_support.ts";

const K1 = 0xa1n, K2 = 0xb2n;

function path(hctl: string, device: string): KernelPath {
  return { hctl, device, lun: "naa.6001", block: device, sg: null, devno: "8:0" };
}

class Watched {
  readonly clock = new HandClock();
  readonly kernel = new HandKernel();
  readonly scene = new Scene();
  readonly events: PrEvent[] = [];
  readonly statuses: LunStatus[] = [];
  readonly ends: string[] = [];
  readonly defects: unknown[] = [];
  /** What sysfs says of an address. */
  lunAt: (hctl: string) => string | null = () => null;
  watch!: Watch;

  static async begin(
    { kernel = true, intervalMs = 1000, targets, helpers = null }: {
      kernel?: boolean;
      helpers?: HelperFeed | null;
      intervalMs?: number;
      targets?: (scene: Scene) => WatchTarget[];
    } = {},
  ): Promise<Watched> {
    const made = new Watched();
    const open = (): ReturnType<WatchTarget["open"]> => Promise.resolve(made.scene.device());
    const paths = [path("0:0:1:0", "/dev/sda"), path("1:0:1:0", "/dev/sdb")];
    made.watch = new Watch(
      targets?.(made.scene) ?? [{ device: "/dev/sda", lun: "naa.6001", paths, open }],
      { intervalMs, patienceMs: 7000, leastGapMs: 100 },
      {
        kernel: kernel ? made.kernel : null,
        noKernel: kernel ? null : "tracefs is not mounted",
        helpers,
        lunAt: (hctl) => made.lunAt(hctl),
      },
      made.clock,
      {
        event: (event) => made.events.push(event),
        status: (status) => made.statuses.push(status),
        ended: (reason) => made.ends.push(reason),
        defect: (error) => made.defects.push(error),
      },
    );
    const started = made.watch.start();
    await made.clock.advance(5);
    await started;
    return made;
  }

  /** Kinds and notes since the beginning; the first `skip` left out. */
  said(skip = 0): string[] {
    return this.events.slice(skip).map(({ event, serviceAction, status, note }) =>
      event === "prOut" ? `${serviceAction} ${status}` : `${event}: ${note ?? ""}`
    );
  }
}

Deno.test("Watch begins with what it sees: the kernel's sight, and the state of every LUN", async () => {
  const w = await Watched.begin();
  assert.deepEqual(w.events.map(({ event, source }) => `${event} ${source}`), ["up kernel", "up poll"]);
  assert.match(w.events[0]!.note!, /every PERSISTENT RESERVE OUT of this host is seen, with its keys/);
  assert.deepEqual(w.events[1]!.after, { key: null, type: 0, generation: 0, registrations: [] });
  assert.equal(w.events[1]!.lun, "naa.6001");
  w.watch.close();
  assert.equal(w.kernel.closed, true);
});

Deno.test("Watch says why there are no kernel events", async () => {
  const w = await Watched.begin({ kernel: false });
  assert.deepEqual([w.events[0]!.event, w.events[0]!.source, w.events[0]!.note], [
    "down",
    "kernel",
    "tracefs is not mounted",
  ]);
  w.watch.close();
});

Deno.test("Watch tells a command at once, then the change it made, explained by it", async () => {
  const w = await Watched.begin({ intervalMs: 0 });
  await w.scene.send("A", "register", 0n, K1);
  await w.scene.send("B", "register", 0n, K2);
  await w.scene.send("B", "preempt", K2, K1, 5);
  w.kernel.say(
    told(1_000_010, "register", { rk: 0n, sark: K1 }),
    told(1_000_020, "register", { rk: 0n, sark: K2, hctl: "1:0:1:0" }),
    told(1_000_030, "preempt", { rk: K2, sark: K1, type: 5, hctl: "1:0:1:0" }),
  );
  await settle();
  assert.deepEqual(w.said(2), ["REGISTER GOOD", "REGISTER GOOD", "PREEMPT GOOD"]);
  const [register, , preempt] = w.events.slice(2);
  assert.deepEqual(
    [register!.device, register!.key, register!.newKey, register!.type, register!.program, register!.pid],
    ["/dev/sda", 0n, K1, null, "sg_persist", 12],
  );
  assert.deepEqual([preempt!.device, preempt!.type, preempt!.time], ["/dev/sdb", 5, "2026-01-01T00:00:01.000030Z"]);
  await w.clock.advance(100);
  assert.match(w.events[5]!.note!, /^0x00000000000000b2 .* registered$/);
  assert.deepEqual(w.events[5]!.after?.registrations?.map(({ key, holder, self }) => [key, holder, self]), [
    [K2, false, false],
  ]);
  w.watch.close();
});

Deno.test("Watch names who was preempted by which key, from before and after and the command between", async () => {
  const w = await Watched.begin({ intervalMs: 0 });
  await w.scene.send("A", "register", 0n, K1);
  await w.scene.send("A", "reserve", K1, 0n, 5);
  await w.scene.send("B", "register", 0n, K2);
  w.watch.refresh();
  await w.clock.advance(200);
  await w.scene.send("B", "preempt", K2, K1, 5);
  w.kernel.say(told(w.clock.nowUs() - 5, "preempt", { rk: K2, sark: K1, type: 5 }));
  await w.clock.advance(200);
  const change = w.events.at(-1)!;
  assert.equal(change.event, "change");
  assert.match(change.note!, /0x00000000000000a1 \(iscsi .*:a\) was preempted by 0x00000000000000b2; /);
  assert.match(change.note!, /0x00000000000000b2 \(iscsi .*:b\) took WE-RO from 0x00000000000000a1/);
  assert.deepEqual([change.key, change.type, change.before?.key, change.after?.key], [K2, 5, K1, K2]);
  w.watch.close();
});

Deno.test("Watch finds other hosts' changes by reading, without a command of this host", async () => {
  const w = await Watched.begin();
  await w.scene.send("B", "register", 0n, K2);
  await w.clock.advance(1000);
  assert.deepEqual([w.events.at(-1)!.event, w.events.at(-1)!.source], ["change", "poll"]);
  w.watch.close();
});

Deno.test("Watch reads at once after a conflict or an attention met by others, and counts a storm", async () => {
  const w = await Watched.begin({ intervalMs: 0 });
  await w.scene.send("B", "register", 0n, K2);
  await w.clock.advance(200);
  const hint = {
    kind: "hint",
    atUs: 1_200_000,
    hctl: "0:0:1:0",
    cdb: Uint8Array.of(0x2a),
    status: 0x18,
    sense: null,
  } as const;
  w.kernel.say(...Array.from({ length: 300 }, () => hint));
  await w.clock.advance(5);
  assert.deepEqual(w.said(2).map((line) => line.slice(0, 20)), ["conflict: WRITE(10)", "change: 0x0000000000"]);
  await w.clock.advance(1000);
  assert.deepEqual(w.said(4), ["conflict: WRITE(10), 299 more in a second"]);
  assert.equal(w.events.at(-1)!.count, 299);
  await w.clock.advance(5000);
  assert.equal(w.events.length, 5, "the storm is over");
  w.kernel.say({ ...hint, status: 2 });
  await settle();
  assert.equal(w.events.length, 5, "a check condition without its sense may be anything");
  w.watch.close();
});

Deno.test("Watch tells commands after a look that came before them, although the look took longer", async () => {
  const w = await Watched.begin({ intervalMs: 0 });
  w.kernel.deaf = true; // the marker is on its way
  await w.scene.send("A", "register", 0n, K1);
  await w.clock.advance(200);
  w.watch.refresh();
  await w.clock.advance(0); // looked, and waits for the kernel's events before the look
  assert.equal(w.events.length, 2);
  const lookedUs = w.clock.nowUs();
  w.kernel.say(
    told(lookedUs - 10, "register", { rk: 0n, sark: K1 }),
    told(lookedUs + 10, "reserve", { rk: K1, type: 5 }),
  );
  await w.clock.advance(5);
  assert.deepEqual(w.said(2).map((line) => line.split(" ")[0]), ["REGISTER", "change:", "RESERVE"]);
  w.watch.close();
});

Deno.test("Watch waits for the kernel no longer than a quarter of a second", async () => {
  const w = await Watched.begin();
  w.kernel.deaf = true;
  await w.scene.send("B", "register", 0n, K2);
  await w.clock.advance(1000);
  assert.equal(w.events.length, 2);
  await w.clock.advance(250);
  assert.equal(w.events.at(-1)!.event, "change");
  w.watch.close();
});

Deno.test("Watch reports lost events with their count, and reads every LUN again", async () => {
  const w = await Watched.begin({ intervalMs: 0 });
  await w.scene.send("B", "register", 0n, K2);
  await w.clock.advance(200);
  w.kernel.say({ kind: "lost", cpu: 1, events: 216 });
  await w.clock.advance(5);
  assert.deepEqual(w.events.slice(2).map(({ event, count }) => [event, count]), [["lost", 216], ["change", undefined]]);
  w.watch.close();
});

Deno.test("Watch tells when its kernel events were ended by somebody else", async () => {
  const w = await Watched.begin();
  w.kernel.end("somebody turned tracing off");
  await settle();
  assert.deepEqual(w.ends, ["somebody turned tracing off"]);
  assert.deepEqual([w.events.at(-1)!.event, w.events.at(-1)!.source], ["down", "kernel"]);
  w.watch.close();
});

Deno.test("Watch goes on with the other LUNs when one is gone, and says when it is back", async () => {
  let here = true;
  const other = new Scene();
  const gone = new PrmigError("device", { message: "/dev/sdz is gone", lun: "unknown", remedy: "none" });
  const w = await Watched.begin({
    targets: (scene) => [
      {
        device: "/dev/sdz",
        lun: null,
        paths: [],
        open: () => here ? Promise.resolve(scene.device()) : Promise.reject(gone),
      },
      { device: "/dev/sdy", lun: null, paths: [], open: () => Promise.resolve(other.device()) },
    ],
  });
  here = false;
  w.scene.lun.nexus("W").close(); // its descriptor is dead
  await other.send("A", "register", 0n, K1);
  await w.clock.advance(3000);
  const now = w.events.slice(3).map(({ event, device }) => `${event} ${device}`);
  assert.deepEqual(now.toSorted(), ["change /dev/sdy", "down /dev/sdz", "down /dev/sdz"]);
  assert.equal(w.watch.statuses[0]!.trouble, "/dev/sdz is gone");
  here = true;
  await w.clock.advance(1000);
  assert.deepEqual([w.events.at(-1)!.event, w.events.at(-1)!.note], ["up", "answers again"]);
  assert.equal(w.watch.statuses[0]!.trouble, null);
  w.watch.close();
});

Deno.test("Watch says so when another LUN answers at the same address", async () => {
  let designator = "naa.6001", here = true;
  const w = await Watched.begin({
    targets: (scene) => [{
      device: "/dev/sda",
      lun: null,
      paths: [],
      open: () =>
        here
          ? Promise.resolve({ ...scene.device(), designator })
          : Promise.reject(new PrmigError("device", { message: "gone", lun: "unknown", remedy: "none" })),
    }],
  });
  here = false;
  w.scene.lun.nexus("W").close();
  await w.clock.advance(2000);
  here = true;
  designator = "naa.6002";
  await w.clock.advance(1000);
  assert.equal(w.events.at(-1)!.note, "another LUN answers here now: naa.6002 instead of naa.6001");
  w.watch.close();
});

Deno.test("Watch passes over an address at which another LUN is now", async () => {
  const w = await Watched.begin({ intervalMs: 0 });
  const register = told(1_000_010, "register", { rk: 0n, sark: K1 });
  w.lunAt = () => "naa.other";
  w.kernel.say(register);
  await settle();
  assert.equal(w.events.length, 2);
  w.lunAt = () => "naa.6001";
  w.kernel.say(register);
  await settle();
  assert.equal(w.events.length, 3);
  w.watch.close();
});

Deno.test("Watch says that a LUN which came back at another address has no kernel events", async () => {
  let addresses = ["0:0:1:0"], here = true;
  const gone = new PrmigError("device", { message: "gone", lun: "unknown", remedy: "none" });
  const w = await Watched.begin({
    targets: (scene) => [{
      device: "/dev/sda",
      lun: "naa.6001",
      paths: [path("0:0:1:0", "/dev/sda")],
      open: () => here ? Promise.resolve({ ...scene.device(), addresses }) : Promise.reject(gone),
    }],
  });
  here = false;
  w.scene.lun.nexus("W").close();
  await w.clock.advance(2000);
  here = true;
  addresses = ["5:0:1:0"];
  await w.clock.advance(5000);
  const notes = w.events.filter(({ event }) => event === "note").map(({ note }) => note);
  assert.equal(notes.length, 1);
  assert.match(notes[0]!, /^the LUN is at 5:0:1:0 now/);
  w.watch.close();
});

Deno.test("Watch tells unit attentions that a look met, before the change it found", async () => {
  let attention: (outcome: Outcome) => void = () => {};
  const w = await Watched.begin({
    intervalMs: 0,
    targets: (scene) => [{
      device: "/dev/sda",
      lun: "naa.6001",
      paths: [path("0:0:1:0", "/dev/sda")],
      open: (told) => {
        attention = told;
        return Promise.resolve(scene.device());
      },
    }],
  });
  await w.scene.send("A", "register", 0n, K1);
  await w.clock.advance(200);
  attention({ kind: "unitAttention", sense: { format: "fixed", deferred: false, key: 6, asc: 0x2a, ascq: 5 } });
  assert.equal(w.events.length, 2);
  w.watch.refresh();
  await w.clock.advance(5);
  assert.deepEqual(w.events.slice(2).map(({ event }) => event), ["unitAttention", "change"]);
  assert.match(w.events[2]!.status!, /06\/2A\/05/);
  w.watch.close();
});

Deno.test("Watch tells since when a reservation is as it is, and whether it saw it come", async () => {
  const w = await Watched.begin();
  assert.equal(w.watch.statuses[0]!.since!.seen, false);
  await w.scene.send("A", "register", 0n, K1);
  await w.scene.send("A", "reserve", K1, 0n, 5);
  await w.clock.advance(1000);
  const { since } = w.watch.statuses[0]!;
  assert.equal(since!.seen, true);
  await w.scene.send("B", "register", 0n, K2);
  await w.clock.advance(5000);
  assert.deepEqual(w.watch.statuses[0]!.since, since);
  w.watch.close();
});

Deno.test("Watch passes over commands of other addresses, and is silent once closed", async () => {
  const w = await Watched.begin();
  w.kernel.say(told(1_000_010, "register", { rk: 0n, sark: K1, hctl: "9:0:0:0" }));
  await settle();
  assert.equal(w.events.length, 2);
  w.watch.close();
  w.watch.close();
  w.kernel.say(told(1_000_010, "register", { rk: 0n, sark: K1 }));
  await w.clock.advance(5000);
  assert.equal(w.events.length, 2);
  assert.deepEqual(w.defects, []);
});

Deno.test("Watch tells a guest's command once, as its helper tells it, and passes over other LUNs' guests", async () => {
  const base = { event: "prOut", source: "helper", status: "GOOD", statusByte: 0, before: null, after: null } as const;
  const mine: PrEvent = {
    ...base,
    time: "2026-01-01T00:00:01.000100Z",
    device: "/dev/sda",
    serviceAction: "RESERVE",
    key: K1,
    newKey: 0n,
    type: 5,
    hctl: "0:0:1:0",
    startedUs: 1_000_000,
    endedUs: 1_000_200,
    pid: 4242,
    program: "qemu-system-x86",
  };
  const news = Promise.withResolvers<void>();
  async function* events(): AsyncGenerator<PrEvent> {
    await news.promise;
    yield { ...mine, device: "/dev/sdz", hctl: "9:0:0:0", lun: "naa.other" };
    yield mine;
    yield { ...mine, event: "shared", note: "two guests use this LUN", hctl: undefined, lun: "naa.6001" };
  }
  const w = await Watched.begin({ helpers: { events: events(), isHelper: (pid) => pid === 12 } });
  w.kernel.say(told(1_000_100, "reserve", { rk: K1, type: 5 }));
  await settle();
  assert.equal(w.events.length, 2, "held: its process is a helper");
  news.resolve();
  await settle();
  const [command, shared] = w.events.slice(2);
  assert.deepEqual(
    [command!.source, command!.key, command!.newKey, command!.program, command!.before?.generation],
    ["helper", K1, null, "qemu-system-x86", 0],
  );
  assert.equal(shared!.note, "two guests use this LUN");
  await w.clock.advance(1000);
  assert.equal(w.events.filter(({ event }) => event === "prOut").length, 1);
  w.watch.close();
});

Deno.test("Watch tells the kernel's instants as exactly as the kernel does, however coarse the wall clock is", async () => {
  const w = await Watched.begin({ intervalMs: 0 });
  w.clock.coarseUs = 1000;
  for (const [i, stamp] of [2_000_300, 2_000_700, 2_001_500].entries()) {
    await w.clock.advance(37.33);
    w.kernel.say(told(stamp, "register", { rk: 0n, sark: BigInt(i + 1) }));
    await w.clock.advance(37.33);
  }
  await w.clock.advance(2000);
  const times = w.events.filter(({ event }) => event === "prOut").map(({ time }) => time.slice(-8, -1));
  assert.deepEqual(times, [".000300", ".000700", ".001500"]);
  w.watch.close();
});

Deno.test("Watch puts kernel events in order that two processors wrote at one time and two reads brought", async () => {
  const w = await Watched.begin({ intervalMs: 0 });
  const nowUs = w.clock.nowUs();
  w.kernel.say(told(nowUs - 100, "register", { rk: 0n, sark: 2n }));
  await settle();
  assert.equal(w.events.length, 2, "it may be overtaken");
  w.kernel.say(told(nowUs - 200, "register", { rk: 0n, sark: 1n }), told(nowUs - 50, "register", { rk: 0n, sark: 3n }));
  await w.clock.advance(2);
  assert.deepEqual(w.events.slice(2).map(({ newKey }) => newKey), [1n, 2n, 3n]);
  w.watch.close();
});

Deno.test("Watch puts looks at several LUNs, what they met, and commands between them in the order of their times", async () => {
  const scenes = [new Scene(), new Scene()];
  const attentions: ((outcome: Outcome) => void)[] = [];
  const w = await Watched.begin({
    targets: () =>
      scenes.map((scene, i) => ({
        device: `/dev/sd${i}`,
        lun: `naa.600${i}`,
        paths: [{ ...path(`${i}:0:1:0`, `/dev/sd${i}`), lun: null }],
        open: (told) => {
          attentions[i] = told;
          return Promise.resolve(scene.device());
        },
      })),
  });
  for (const scene of scenes) await scene.send("A", "register", 0n, K1);
  w.kernel.deaf = true; // both looks wait for their markers
  await w.clock.advance(900);
  attentions[1]!({ kind: "unitAttention", sense: { format: "fixed", deferred: false, key: 6, asc: 0x2a, ascq: 5 } });
  await w.clock.advance(100);
  const nowUs = w.clock.nowUs();
  w.kernel.say(told(nowUs + 1000, "reserve", { rk: K1, type: 5 }));
  await w.clock.advance(10);
  const times = w.events.map(({ time }) => time);
  assert.deepEqual(times, times.toSorted());
  assert.deepEqual(w.events.slice(3).map(({ event, device }) => `${event} ${device}`), [
    "change /dev/sd0",
    "unitAttention /dev/sd1",
    "change /dev/sd1",
    "prOut /dev/sd0",
  ]);
  w.watch.close();
});

Deno.test("Watch follows the wall clock when it is set, and is not misled by being held up", async () => {
  const w = await Watched.begin({ intervalMs: 0 });
  const reserve = async (): Promise<string> => {
    w.kernel.say(told(w.clock.nowUs(), "reserve", { rk: K1, type: 5 }));
    await w.clock.advance(2);
    return w.events.findLast(({ event }) => event === "prOut")!.time.slice(11, -1);
  };
  await w.clock.advance(1995);
  assert.equal(await reserve(), "00:00:03.000000");
  w.clock.setUs = 3_600_000_000;
  await w.clock.advance(998);
  assert.equal(await reserve(), "01:00:04.000000");
  w.clock.heldUpUs = 50_000; // between two readings of the clocks
  await w.clock.advance(998);
  assert.equal(await reserve(), "01:00:05.000000");
  w.watch.close();
});
