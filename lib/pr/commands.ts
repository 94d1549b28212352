/**
 * PERSISTENT RESERVE commands as requests in words, sent over any Nexus.
 *
 * Pure: builds command blocks and hands them to the nexus. Judging the reply is lib/scsi/outcome.ts.
 *
 * @module
 */
import { type PrInAction, prInCdb, type PrOutAction, prOutCdb } from "./cdb.ts";
import type { CommandOptions, Nexus, Reply } from "./nexus.ts";
import { encodePrOut, encodeRegisterAndMove } from "./pr_out.ts";
import type { TransportId } from "./transport_id.ts";

/** Fields any request may carry; those its service action ignores are sent all the same (0 when left out). */
export interface PrOutFields {
  /** RESERVATION KEY; 0 when left out. */
  readonly rk?: bigint;
  /** SERVICE ACTION RESERVATION KEY; 0 when left out. */
  readonly sark?: bigint;
  /** SCOPE; 0 (LU_SCOPE) when left out. */
  readonly scope?: number;
  /** TYPE; 0 when left out. */
  readonly type?: number;
  /** Persistence through power loss, for the whole LUN; off when left out. */
  readonly aptpl?: boolean;
  /** Register for every target port. */
  readonly allTgPt?: boolean;
  /** Register these initiator ports too. */
  readonly specIPt?: readonly TransportId[] | null;
}

/**
 * A PERSISTENT RESERVE OUT. What changes the outcome has no default: each service action demands the fields it uses,
 * and every register-type one demands `aptpl`, because it rewrites the setting for the whole LUN.
 */
export type PrOutRequest =
  | PrOutFields & { readonly action: "register"; readonly rk: bigint; readonly sark: bigint; readonly aptpl: boolean }
  | PrOutFields & { readonly action: "registerAndIgnore"; readonly sark: bigint; readonly aptpl: boolean }
  | PrOutFields & { readonly action: "reserve" | "release"; readonly rk: bigint; readonly type: number }
  | PrOutFields & { readonly action: "clear"; readonly rk: bigint }
  | PrOutFields & {
    readonly action: "preempt" | "preemptAndAbort";
    readonly rk: bigint;
    readonly sark: bigint;
    readonly type: number;
  }
  | PrOutFields & {
    readonly action: "replaceLost";
    readonly sark: bigint;
    readonly type: number;
    readonly aptpl: boolean;
  }
  | PrOutFields & {
    readonly action: "registerAndMove";
    readonly rk: bigint;
    readonly sark: bigint;
    readonly aptpl: boolean;
    readonly unreg: boolean;
    readonly relativeTargetPort: number;
    readonly transportId: TransportId;
  };

/** Sends a PERSISTENT RESERVE OUT. Resolves with the device's answer, whatever it is; rejects as {@link Nexus.execute}. */
export function prOut(nexus: Nexus, request: PrOutRequest, options?: CommandOptions): Promise<Reply> {
  const { cdb, data } = prOutCommand(request);
  return nexus.execute(cdb, data, options);
}

/** The command block and parameter list of a request. */
export function prOutCommand(request: PrOutRequest): { cdb: Uint8Array; data: Uint8Array } {
  const { rk = 0n, sark = 0n, scope = 0, type = 0, aptpl, allTgPt, specIPt } = request;
  const action: PrOutAction = request.action;
  const data = request.action === "registerAndMove"
    ? encodeRegisterAndMove(request)
    : encodePrOut({ rk, sark, aptpl, allTgPt, specIPt });
  return { cdb: prOutCdb({ action, scope, type, parameterListLength: data.length }), data };
}

/** Sends a PERSISTENT RESERVE IN with an allocation length in bytes (at most 65535). */
export function prIn(
  nexus: Nexus,
  action: PrInAction,
  allocationLength: number,
  options?: CommandOptions,
): Promise<Reply> {
  return nexus.execute(prInCdb(action, allocationLength), allocationLength, options);
}
