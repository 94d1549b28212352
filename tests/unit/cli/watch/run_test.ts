import assert from "node:assert/strict";
import { runWatch, type WatchInput, type WatchMachine } from "../../../../lib/cli/watch/run.ts";
import { parseCondition } from "../../../../lib/cli/watch/until.ts";
import { PrmigError } from "../../../../lib/errors.ts";
import { createSimLun, openSimNexus } from "../../../../lib/sim/open.ts";
import { prOutCdb } from "../../../../lib/pr/cdb.ts";
import { encodePrOut } from "../../../../lib/pr/pr_out.ts";
import { type MemoryWorld, memoryWorld, prmig, type WorldOptions } from "../../../support/cli_world.ts";

const INPUT: Omit<WatchInput, "devices"> = { poll: 20, once: false, until: undefined, timeout: undefined };

/** Runs with a simulated LUN in a file of its own. */
async function withLun(test: (address: (nexus: string) => string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await createSimLun(`${directory}/lun.json`);
    await test((nexus) => `sim:${directory}/lun.json?nexus=${nexus}`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const MACHINE: WatchMachine = {
  clock: {
    nowUs: () => performance.now() * 1000,
    wallUs: () => Date.now() * 1000,
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  },
  openKernel: () => Promise.reject(new Error("no simulated LUN asks for the kernel")),
  helpers: () => null,
  terminal: () => {
    throw new Error("there is no terminal here");
  },
};

interface Started {
  readonly world: MemoryWorld;
  readonly stop: AbortController;
  readonly code: Promise<number>;
}

function start(
  input: Partial<WatchInput> & { devices: readonly string[] },
  json = true,
  options: WorldOptions = {},
): Started {
  const world = memoryWorld(options);
  const stop = new AbortController();
  const context = { ...world, json, verbose: false, signal: stop.signal, help: () => "" };
  return { world, stop, code: runWatch({ ...INPUT, ...input }, context, MACHINE) };
}

async function register(address: string, key: bigint): Promise<void> {
  const nexus = await openSimNexus(address);
  const reply = await nexus.execute(prOutCdb({ action: "registerAndIgnore" }), encodePrOut({ rk: 0n, sark: key }));
  nexus.close();
  assert.equal(reply.status, 0);
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) assert.fail(`${what}: not within 5 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const lines = (world: MemoryWorld): Record<string, unknown>[] =>
  world.stdout().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));

Deno.test("watch --json: the state first, then every change, as the contract has it; a signal ends it with 130", async () => {
  await withLun(async (address) => {
    const { world, stop, code } = start({ devices: [address("W")] });
    await until("the state", () => lines(world).length === 1);
    await register(address("A"), 0x123abcn);
    await until("the change", () => lines(world).length === 2);
    stop.abort();
    assert.equal(await code, 130);
    const [up, change] = lines(world);
    const contract = [
      "time",
      "device",
      "event",
      "source",
      "serviceAction",
      "status",
      "key",
      "newKey",
      "type",
      "before",
      "after",
    ];
    for (const event of [up!, change!]) assert.deepEqual(Object.keys(event).slice(0, contract.length), contract);
    assert.deepEqual([up!.event, up!.source, up!.device], ["up", "poll", address("W")]);
    assert.equal(change!.event, "change");
    assert.match(String(change!.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.deepEqual((change!.after as { registrations: unknown }).registrations, [{
      key: "0x0000000000123abc",
      holder: false,
      self: false,
      initiator: "iscsi iqn.2026-01.net.example.prmig:a",
    }]);
    assert.equal(world.stderr(), "");
  });
});

Deno.test("watch elsewhere than on a terminal prints a line an event", async () => {
  await withLun(async (address) => {
    const { world, stop, code } = start({ devices: [address("W")] }, false);
    await until("the state", () => world.stdout() !== "");
    await register(address("A"), 0x123abcn);
    await until("the change", () => world.stdout().split("\n").length > 2);
    stop.abort();
    await code;
    const [up, change] = world.stdout().split("\n");
    assert.match(up!, /^\d\d:\d\d:\d\d\.\d{3} {2}sim:\S+ {2}not reserved, nobody is registered$/);
    assert.match(change!, / {2}0x0000000000123abc \(iscsi iqn\.\S+:a\) registered$/);
  });
});

Deno.test("watch --until ends with 0 as soon as the condition holds on every LUN, with 1 when time is up", async () => {
  await withLun(async (one) => {
    await withLun(async (two) => {
      const { code } = start({ devices: [one("W"), two("W")], until: parseCondition("key=0xa"), timeout: 10_000 });
      await register(one("A"), 0xan);
      await register(two("A"), 0xan);
      assert.equal(await code, 0);
      const late = start({ devices: [one("W")], until: parseCondition("holder"), timeout: 60 });
      await assert.rejects(late.code, (error) => error instanceof PrmigError && error.exitCode === 1);
    });
  });
});

Deno.test("watch --timeout without --until ends with 0", async () => {
  await withLun(async (address) => {
    assert.equal(await start({ devices: [address("W")], timeout: 30 }).code, 0);
  });
});

Deno.test("watch --once shows the state of every LUN and ends; one that cannot be read makes 4 of it", async () => {
  await withLun(async (address) => {
    const good = start({ devices: [address("W")], once: true });
    assert.equal(await good.code, 0);
    assert.deepEqual(lines(good.world).map(({ event }) => event), ["up"]);
    const mixed = start({ devices: [address("W"), "sim:/nonexistent/lun.json?nexus=A"], once: true });
    assert.equal(await mixed.code, 4);
    assert.deepEqual(lines(mixed.world).map(({ event }) => event).toSorted(), ["down", "up"]);
  });
});

Deno.test("watch ends with 4 when no LUN can be opened, and goes on when one can", async () => {
  await withLun(async (address) => {
    const none = start({ devices: ["sim:/nonexistent/lun.json?nexus=A"] });
    await assert.rejects(none.code, (error) => error instanceof PrmigError && error.exitCode === 4);
    const one = start({ devices: ["sim:/nonexistent/lun.json?nexus=A", address("W")], timeout: 80 });
    assert.equal(await one.code, 0);
    assert.ok(lines(one.world).some(({ event, device }) => event === "down" && String(device).includes("nonexistent")));
  });
});

Deno.test("watch takes two names of one LUN for one LUN", async () => {
  await withLun(async (address) => {
    const { world, code } = start({ devices: [address("W"), address("A"), address("W")], once: true });
    assert.equal(await code, 0);
    assert.equal(lines(world).length, 1);
  });
});

Deno.test("watch ends with 0 when its reader has gone", async () => {
  await withLun(async (address) => {
    const gone = (): never => {
      throw new Deno.errors.BrokenPipe();
    };
    assert.equal(await start({ devices: [address("W")] }, true, { stdoutSink: gone }).code, 0);
  });
});

const WRONG: readonly [words: string, code: number, said: RegExp][] = [
  ["watch", 2, /DEV is missing|expected at least/i],
  ["watch sim:x?nexus=A --until sometime", 2, /expected key=K/],
  ["watch sim:x?nexus=A --once --until holder", 2, /give one of them/],
  ["watch sim:x?nexus=A --once --timeout 1s", 2, /ends by itself/],
  ["watch sim:x?nexus=A --poll often", 2, /expected a duration/],
  ["watch sim:x?nexus=A --poll 0", 4, /--poll 0 turns reading off/],
  ["watch nonsense", 2, /no device address/],
];
for (const [words, code, said] of WRONG) {
  Deno.test(`prmig ${words}: exit ${code}, and says why`, async () => {
    const ran = await prmig(words);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, said);
    assert.equal(ran.stdout, "");
  });
}
