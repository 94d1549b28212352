/**
 * REGISTER, the protocol's most used command: one path of ours from one key to another.
 *
 * @module
 */
import type { Registration } from "../pr/types.ts";
import { nexusName } from "./offer.ts";
import type { Picture } from "./picture.ts";
import { type Leg, type OwnPath, type Run, step } from "./run.ts";

/**
 * REGISTER RK=`from` SARK=`to` on one path, with the LUN's power-loss setting carried along; 0n means "not registered".
 * False when the LUN has decided otherwise: this path no longer stands under `from`.
 */
export async function rekey(run: Run, leg: Leg, own: OwnPath, from: bigint, to: bigint): Promise<boolean> {
  const request = { action: "register", rk: from, sark: to, aptpl: leg.offer.ptplActive } as const;
  const { result } = await step(run, leg, own, request, {
    done: (picture) => standsUnder(run, own, picture, to),
    possible: (picture) => standsUnder(run, own, picture, from),
  });
  return result === "done";
}

/** True when the picture shows this path of ours under `key`; with 0n, when it shows it unregistered. */
export function standsUnder(run: Run, own: OwnPath, picture: Picture, key: bigint): boolean {
  const mine = registrationsOf(run, own, picture);
  return key === 0n ? mine.length === 0 : mine.some((r) => r.key === key);
}

function registrationsOf(run: Run, own: OwnPath, picture: Picture): readonly Registration[] {
  const { registrations } = picture[run.role];
  return own.name === null ? registrations : registrations.filter((r) => nexusName(r) === own.name);
}
