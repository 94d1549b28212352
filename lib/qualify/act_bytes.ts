/**
 * What a step of a scenario sends, as bytes for one LUN: players become their TransportIDs. Pure.
 *
 * @module
 */
import { fromHex } from "../bytes.ts";
import { PR_OUT_ACTION, prInCdb, prOutCdb } from "../pr/cdb.ts";
import { encodePrOut, encodeRegisterAndMove } from "../pr/pr_out.ts";
import type { BenchLun, Port, SomeNexuses } from "./bench_lun.ts";
import { ordinaryCommand, type RawCommand } from "./ordinary.ts";
import type { Act, OutRequest, Player } from "./scenario.ts";

/** The command block and data of an act. */
export function bytesOf(lun: BenchLun<SomeNexuses>, act: Act): RawCommand {
  switch (act.kind) {
    case "out":
      return outBytes(lun, act.request);
    case "in":
      return { cdb: prInCdb(act.action, act.allocationLength), data: act.allocationLength };
    case "ordinary":
      return ordinaryCommand(act.name, lun.blockBytes);
    case "raw":
      return { cdb: fromHex(act.cdb), data: fromHex(act.dataOut) };
  }
}

function outBytes({ ports }: BenchLun<SomeNexuses>, request: OutRequest): RawCommand {
  const { action, rk = 0n, sark = 0n, scope = 0, type = 0, aptpl = false, allTgPt = false, unreg = false } = request;
  const portOf = (player: Player): Port => {
    const port = ports?.[player];
    if (port === undefined) throw new RangeError(`a scenario names the port of ${player}, which is not known`);
    return port;
  };
  const data = request.action === PR_OUT_ACTION.registerAndMove
    ? encodeRegisterAndMove({
      rk,
      sark,
      unreg,
      aptpl,
      relativeTargetPort: numberOf(portOf(request.to ?? "A").relativeTargetPort),
      transportId: portOf(request.to ?? "A").transportId,
    })
    : encodePrOut({
      rk,
      sark,
      aptpl,
      allTgPt,
      specIPt: request.naming?.map((player) => portOf(player).transportId) ?? null,
    });
  return { cdb: prOutCdb({ action, scope, type, parameterListLength: data.length }), data };
}

function numberOf(port: number | "all"): number {
  return port === "all" ? 1 : port;
}
