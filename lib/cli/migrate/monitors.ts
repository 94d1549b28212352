/**
 * Monitors as the command line reaches them: QMP sockets of this host, or a command that brings one from another.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { Monitor } from "../../migrate/vm/monitor.ts";
import { connectQmp, type QmpChannel } from "../../qmp/client.ts";
import { QmpError } from "../../qmp/error.ts";
import { Qemu } from "../../qmp/qemu.ts";
import { openQmpSocket, parseQmpAddress } from "../../qmp/socket.ts";
import { spawnOther } from "../hand_over/child.ts";
import { CLOCK } from "../hand_over/world.ts";
import type { MonitorWay } from "./ways.ts";

/** No QMP command we send takes QEMU longer, unless it hangs. */
const LONGEST_COMMAND_MS = 10_000;

/** Opens a monitor. Rejects with PrmigError `usage` or `failed`. */
export async function openMonitor(way: MonitorWay, what: string, timeoutMs: number): Promise<Monitor> {
  const limit = Math.min(timeoutMs, LONGEST_COMMAND_MS);
  try {
    return await Monitor.open(async () => new Qemu(await connectQmp(await openChannel(way), CLOCK, limit), limit));
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
    throw new PrmigError("failed", {
      message: `Cannot talk to the ${what} QEMU: ${error.message}`,
      lun: "as before; the guest was not touched",
      remedy: error.failure === "timeout"
        ? "a QMP socket serves one program at a time: give QEMU another (-qmp unix:PATH,server=on,wait=off)"
        : "name a QMP socket of that QEMU that this user may open",
    }, { cause: error });
  }
}

async function openChannel(way: MonitorWay): Promise<QmpChannel> {
  if (way.kind === "command") return { ...spawnOther(way.command), address: way.address };
  const address = parseQmpAddress(way.address);
  if (address) return await openQmpSocket(address);
  throw new PrmigError("usage", {
    message: `"${way.address}" is no QMP socket`,
    lun: "not touched",
    remedy: "write a path, unix:PATH or tcp:HOST:PORT",
  });
}
