/**
 * REGISTER, the protocol's most used command: one path of ours from one key to another.
 *
 * @module
 */
import type { Registration } from "../pr/types.ts";
import type { StepResult } from "./act.ts";
import { nexusName } from "./offer.ts";
import type { Picture } from "./picture.ts";
import { type Judge, type Leg, type OwnPath, type Run, step } from "./run.ts";
import { isToken } from "./tokens.ts";

/**
 * REGISTER RK=`from` SARK=`to` on one path, with the LUN's power-loss setting carried along; 0n means "not registered".
 * False when the LUN has decided otherwise: this path no longer stands under `from`. It is sent again, after a look, only
 * while it is `possible`, and never if it goes but `once`.
 */
export async function rekey(...of: Parameters<typeof rekeyHow>): Promise<boolean> {
  return (await rekeyHow(...of)).result === "done";
}

/** {@link rekey}, with what says how it ended. */
export async function rekeyHow(
  run: Run,
  leg: Leg,
  own: OwnPath,
  from: bigint,
  to: bigint,
  { possible = () => true, once }: Partial<Judge> = {},
): Promise<StepResult> {
  const request = { action: "register", rk: from, sark: to, aptpl: leg.offer.ptplActive } as const;
  const unanswered = leg.unanswered ?? false;
  if (run.role === "source") { // until it is answered
    delete leg.sourceWas;
    leg.unanswered = true;
  }
  const how = await step(run, leg, own, request, {
    done: (picture) => standsUnder(run, own, picture, to),
    possible: (picture) => standsUnder(run, own, picture, from) && possible(picture),
    once,
  });
  const { result, by } = how;
  if (run.role === "source") {
    leg.unanswered = unanswered || by === "lun";
    const at = (key: bigint): Leg["sourceWas"] => isToken(key) ? "token" : "key";
    if (result === "done") leg.sourceWas = at(to);
    else if (by === "reply") leg.sourceWas ??= at(from); // unless it was seen elsewhere since
    else delete leg.sourceWas;
  }
  return how;
}

/** True when the picture shows this path of ours under `key`; with 0n, when it shows it unregistered. */
export function standsUnder(run: Run, own: OwnPath, picture: Picture, key: bigint): boolean {
  const mine = registrationsOf(run, own, picture);
  return key === 0n ? mine.length === 0 : mine.some((r) => r.key === key);
}

/** The one-time key under which the picture shows this path of ours; `null` when it shows none. */
export function oneTimeKeyOf(run: Run, own: OwnPath, picture: Picture): bigint | null {
  return registrationsOf(run, own, picture).find((r) => isToken(r.key))?.key ?? null;
}

function registrationsOf(run: Run, own: OwnPath, picture: Picture): readonly Registration[] {
  const { registrations } = picture[run.role];
  return own.name === null ? registrations : registrations.filter((r) => nexusName(r) === own.name);
}
