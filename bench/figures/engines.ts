/**
 * What has no peer, and must not get slower: simulated commands, tracker steps, worlds of the model check, each a second.
 * Beside them a loop of plain JavaScript, so that runs on a fast day and on a slow one can be compared (compare.ts).
 *
 * @module
 */
import { prOutCdb } from "../../lib/pr/cdb.ts";
import { prIn, prOut } from "../../lib/pr/commands.ts";
import { encodePrOut } from "../../lib/pr/pr_out.ts";
import { PROFILES } from "../../lib/pr/sim/profile.ts";
import { track, type Tracked } from "../../lib/pr/tracker.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";
import { explore } from "../../tests/model/explore.ts";
import type { Figure, Row } from "../figure.ts";
import { inTurn, rounds, timed } from "../measure.ts";

const PLAIN = "plain JavaScript";

/** Engines. */
export const engines: Figure = {
  name: "engines",
  where: "machine",
  measure: async (scale) => {
    const count = scale.small ? 100 : 20_000;
    const worlds = scale.small ? 200 : 20_000;
    const perSecond = async (amount: number, work: () => Promise<void> | void): Promise<number> =>
      amount * 1000 / await timed(work);
    const rates = await inTurn(rounds(scale, 9), {
      "simulated LUN": () => perSecond(count, () => commands(count)),
      "tracker": () => perSecond(count, () => steps(count)),
      "model check": () => perSecond(worlds, () => check(worlds)),
      [PLAIN]: () => perSecond(count, () => plain(count)),
    });
    const units = { "simulated LUN": "commands/s", "tracker": "steps/s", "model check": "worlds/s" } as const;
    const rows = Object.entries(units).map(([name, unit]): Row => ({
      figure: name,
      unit,
      prmig: rates[name as keyof typeof units]!,
      peers: { [PLAIN]: rates[PLAIN]! },
      targets: [],
    }));
    return { rows };
  },
};

/** REGISTER, RESERVE, READ FULL STATUS, REGISTER 0, again and again. */
async function commands(count: number): Promise<void> {
  const lun = new MemoryLun({ record: false });
  const nexus = lun.nexus("a");
  for (let i = 0; i < count; i += 4) {
    await prOut(nexus, { action: "register", rk: 0n, sark: 1n, aptpl: false });
    await prOut(nexus, { action: "reserve", rk: 1n, type: 5 });
    await prIn(nexus, "readFullStatus", 256);
    await prOut(nexus, { action: "register", rk: 1n, sark: 0n, aptpl: false });
  }
}

function steps(count: number): void {
  const register = encodePrOut({ rk: 0n, sark: 0xabcn });
  const reserve = encodePrOut({ rk: 0xabcn, sark: 0n });
  const cdbs = [
    prOutCdb({ action: "registerAndIgnore", parameterListLength: register.length }),
    prOutCdb({ action: "reserve", type: 5, parameterListLength: reserve.length }),
  ];
  let tracked: Tracked = { key: null, type: null, aptpl: null };
  for (let i = 0; i < count; i++) {
    const list = i % 2 === 0 ? register : reserve;
    ({ tracked } = track(tracked, cdbs[i % 2]!, list, { kind: "good" }));
  }
  if (tracked.key !== 0xabcn) throw new Error("the tracker has lost its way");
}

/** Never to be changed: what its rate says of the machine is compared from release to release. */
function plain(count: number): void {
  const kept = new Map<bigint, { readonly bytes: Uint8Array; readonly text: string }>();
  for (let i = 0; i < count; i++) {
    const bytes = new Uint8Array(24);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(8, BigInt(i) << 7n);
    const key = view.getBigUint64(8) % 509n;
    kept.set(key, { bytes, text: `0x${key.toString(16)} ${kept.get(key)?.text.length}` });
  }
  if (kept.size > 509) throw new Error("a remainder that is none");
}

async function check(worlds: number): Promise<void> {
  const seen = await explore({
    name: "bench",
    ...{ type: 5, shared: false, duplex: true, method: "token", fence: true, profile: PROFILES.spc4!, paths: 1 },
    ptpl: false,
    budget: { crashes: 1, faults: 0, jumps: 1 },
  }, { limit: worlds });
  if (seen.violation !== null) throw new Error(seen.violation.trace);
}
