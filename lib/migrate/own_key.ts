/**
 * Which registrations of a LUN are ours, and under which key: told by the target and the host, or found by asking.
 *
 * Asking means REGISTER with RK = SARK = k: it succeeds for the sender's own key alone, and changes nothing but
 * PRGENERATION. It is used only where neither sysfs nor the target says who we are.
 *
 * @module
 */
import { PrmigError } from "../errors.ts";
import { prOut } from "../pr/commands.ts";
import { formatKey, type PrState } from "../pr/types.ts";
import { classify, describeOutcome } from "../scsi/outcome.ts";
import { type Lun, ownRegistration, type Path } from "./lun.ts";
import { nexusName } from "./offer.ts";
import type { OwnPath } from "./run.ts";

/** Our registered paths, the one that holds the reservation first, and the key they stand under. */
export interface OwnKey {
  readonly key: bigint;
  readonly own: readonly OwnPath[];
}

/** Finds our key on a LUN; `null` when no path of ours is registered. `hint` is tried alone where we have to ask. */
export async function findOwnKey(
  lun: Lun,
  state: PrState,
  ptplActive: boolean,
  hint?: bigint,
): Promise<OwnKey | null> {
  const found: { key: bigint; holder: boolean; own: OwnPath }[] = [];
  for (const path of lun.paths) {
    const registration = ownRegistration(path, state);
    if (registration === "absent") continue;
    if (registration !== "unknown") {
      const { key, holder } = registration;
      found.push({ key, holder, own: { path, name: nexusName(registration) } });
      continue;
    }
    const key = await askForKey(path, state, ptplActive, hint);
    if (key === null) continue;
    const candidates = state.registrations.filter((r) => r.key === key);
    const name = candidates.length === 1 ? nexusName(candidates[0]!) : null;
    found.push({ key, holder: candidates.some((r) => r.holder), own: { path, name } });
  }
  if (found.length === 0) return null;
  const keys = [...new Set(found.map((f) => f.key))];
  if (keys.length > 1) {
    throw mixed(lun, `its paths are registered under different keys: ${keys.map(formatKey).join(", ")}`);
  }
  if (found.length > 1 && found.some((f) => f.own.name === null)) {
    throw mixed(lun, "the target does not tell its paths apart");
  }
  found.sort((a, b) => Number(b.holder) - Number(a.holder));
  return { key: keys[0]!, own: found.map((f) => f.own) };
}

/** The key of the state for which this path's REGISTER k -> k succeeds. The holder's key is the likeliest. */
async function askForKey(path: Path, state: PrState, aptpl: boolean, hint?: bigint): Promise<bigint | null> {
  const byHolder = state.registrations.toSorted((a, b) => Number(b.holder) - Number(a.holder));
  const keys = [...new Set(byHolder.map((r) => r.key))].filter((key) => hint === undefined || key === hint);
  for (const key of keys) {
    const outcome = classify(await prOut(path.nexus, { action: "register", rk: key, sark: key, aptpl }));
    if (outcome.kind === "good") return key;
    if (outcome.kind === "conflict") continue;
    throw new PrmigError("device", {
      message: `Cannot find out our key on ${path.nexus.address}: ${describeOutcome(outcome)}`,
      device: path.nexus.address,
      command: `PERSISTENT RESERVE OUT, REGISTER ${formatKey(key)} again`,
      status: describeOutcome(outcome),
      lun: "unchanged: a key was registered over itself at most",
      remedy: `name the key: --key ${formatKey(key)}`,
    });
  }
  return null;
}

function mixed(lun: Lun, what: string): PrmigError {
  return new PrmigError("refused", {
    message: `Cannot move the reservation of ${lun.device}: ${what}`,
    device: lun.device,
    lun: "unchanged",
    remedy: `register every path of this host under one key, or name a single path; prmig dump ${lun.device}`,
  });
}
