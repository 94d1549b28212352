import assert from "node:assert/strict";
import { PrmigError } from "../../../lib/errors.ts";
import type { Nexus } from "../../../lib/pr/nexus.ts";
import { type Look, LunPoller, type PolledDevice, type PollOptions } from "../../../lib/snoop/poll.ts";
import { HandClock, Scene, settle } from "./watch_support.ts";

const OPTIONS: PollOptions = { intervalMs: 1000, patienceMs: 7000, leastGapMs: 100 };

interface Setting {
  readonly clock: HandClock;
  readonly scene: Scene;
  readonly looks: Look[];
  readonly poller: LunPoller;
  opened: number;
}

function setting(options: Partial<PollOptions> = {}, open?: (scene: Scene) => Promise<PolledDevice>): Setting {
  const clock = new HandClock(), scene = new Scene(), looks: Look[] = [];
  const made: Setting = {
    clock,
    scene,
    looks,
    opened: 0,
    poller: new LunPoller(
      () => {
        made.opened++;
        return open ? open(scene) : Promise.resolve(scene.device());
      },
      { ...OPTIONS, ...options },
      clock,
      (look) => looks.push(look),
      (error) => assert.fail(String(error)),
    ),
  };
  return made;
}

function gone(): PrmigError {
  return new PrmigError("device", { message: "Cannot open /dev/sdz: it is gone", lun: "unknown", remedy: "none" });
}

Deno.test("LunPoller looks at the interval, with one command each time, and opens the device once", async () => {
  const { clock, scene, looks, poller, ...rest } = setting();
  await poller.look();
  await clock.advance(3000);
  assert.deepEqual(looks.map(({ kind }) => kind), ["seen", "seen", "seen", "seen"]);
  assert.equal(scene.lun.history.length, 4);
  poller.close();
  await clock.advance(5000);
  assert.equal(looks.length, 4);
  assert.ok(rest.opened >= 0);
});

Deno.test("LunPoller with interval 0 looks only when asked, and never when idle", async () => {
  const { clock, looks, poller } = setting({ intervalMs: 0 });
  await poller.look();
  await clock.advance(100_000);
  assert.equal(looks.length, 1);
  assert.equal(clock.pending, 0);
  poller.request();
  await clock.advance(0);
  assert.equal(looks.length, 2);
});

Deno.test("LunPoller makes one look of many hints, no sooner than the least gap allows", async () => {
  const { clock, looks, poller } = setting({ intervalMs: 0 });
  await poller.look();
  for (let i = 0; i < 500; i++) poller.request();
  await clock.advance(99);
  assert.equal(looks.length, 1);
  await clock.advance(1);
  assert.equal(looks.length, 2);
});

Deno.test("LunPoller looks again after a hint that came during a look", async () => {
  let answer: () => void = () => {};
  const { clock, looks, poller } = setting({ intervalMs: 0 }, (scene) => {
    const nexus = scene.lun.nexus("W");
    const slow: Nexus = {
      ...nexus,
      address: nexus.address,
      initiator: null,
      execute: async (cdb, data) => {
        await new Promise<void>((resolve) => answer = resolve);
        return nexus.execute(cdb, data);
      },
      close: () => {},
    };
    return Promise.resolve(scene.device(slow));
  });
  void poller.look();
  await settle();
  poller.request();
  answer();
  await clock.advance(200);
  answer();
  await settle();
  assert.equal(looks.length, 2);
});

Deno.test("LunPoller reports a device that hangs once, asks it nothing more, and goes on when it answers", async () => {
  let answer: () => void = () => {};
  let asked = 0;
  const { clock, looks, poller } = setting({}, (scene) => {
    const nexus = scene.lun.nexus("W");
    const hanging: Nexus = {
      address: nexus.address,
      initiator: null,
      execute: async (cdb, data) => {
        asked++;
        await new Promise<void>((resolve) => answer = resolve);
        return nexus.execute(cdb, data);
      },
      close: () => {},
    };
    return Promise.resolve(scene.device(hanging));
  });
  void poller.look();
  await clock.advance(60_000);
  poller.request();
  await clock.advance(60_000);
  assert.deepEqual(looks, [{ kind: "hangs", reason: "no answer for 7 s" }]);
  assert.equal(asked, 1);
  answer();
  await settle();
  assert.equal(looks[1]!.kind, "seen");
});

Deno.test("LunPoller reports a failure, closes the device, and opens it anew", async () => {
  let here = true, closed = 0;
  const made = setting({}, (scene) => {
    if (!here) return Promise.reject(gone());
    const nexus = scene.lun.nexus("W");
    const failing: Nexus = {
      address: nexus.address,
      initiator: null,
      execute: (cdb, data) => here ? nexus.execute(cdb, data) : Promise.reject(gone()),
      close: () => {},
    };
    return Promise.resolve({ ...scene.device(failing), close: () => void closed++ });
  });
  const { clock, looks, poller } = made;
  await poller.look();
  here = false;
  await clock.advance(2000);
  here = true;
  await clock.advance(1000);
  assert.deepEqual(looks.map(({ kind }) => kind), ["seen", "failed", "failed", "seen"]);
  assert.equal((looks[1] as { reason: string }).reason, "Cannot open /dev/sdz: it is gone");
  assert.deepEqual([made.opened, closed], [3, 1]);
});

Deno.test("LunPoller takes nonsense for a failure", async () => {
  const { looks, poller } = setting({}, (scene) => {
    const nonsense: Nexus = {
      address: "sim:nonsense",
      initiator: null,
      execute: () => Promise.resolve({ status: 0, sense: new Uint8Array(), dataIn: Uint8Array.of(1, 2, 3) }),
      close: () => {},
    };
    return Promise.resolve(scene.device(nonsense));
  });
  await poller.look();
  assert.equal(looks[0]!.kind, "failed");
  assert.match((looks[0] as { reason: string }).reason, /answered what cannot be/);
  poller.close();
});

Deno.test("LunPoller asks the next path when one fails, and that one first from then on", async () => {
  const asked: string[] = [];
  const { clock, looks, poller } = setting({}, (scene) => {
    const nexus = scene.lun.nexus("W");
    const path = (name: string, works: boolean): Nexus => ({
      address: name,
      initiator: null,
      execute: (cdb, data) => {
        asked.push(name);
        return works ? nexus.execute(cdb, data) : Promise.reject(gone());
      },
      close: () => {},
    });
    return Promise.resolve(scene.device(path("dead", false), path("good", true)));
  });
  await poller.look();
  await clock.advance(1000);
  assert.deepEqual(asked, ["dead", "good", "good"]);
  assert.deepEqual(looks.map(({ kind }) => kind), ["seen", "seen"]);
  poller.close();
});
