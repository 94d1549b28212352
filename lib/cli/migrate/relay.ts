/**
 * `prmig qmp-relay`: a QMP socket of this host on stdin and stdout, for a prmig migrate on another.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { QmpError } from "../../qmp/error.ts";
import { openQmpSocket, parseQmpAddress } from "../../qmp/socket.ts";
import type { QmpChannel } from "../../qmp/client.ts";
import type { CommandContext } from "../context.ts";

/** Relays until either end has gone. Errors: PrmigError `usage`, `failed`. */
export async function runRelay({ socket }: { readonly socket: string }, context: CommandContext): Promise<void> {
  const channel = await connect(socket);
  try {
    await Promise.race([upwards(channel, context), downwards(channel, context)]);
  } finally {
    await channel.close();
  }
}

async function connect(socket: string): Promise<QmpChannel> {
  const address = parseQmpAddress(socket);
  if (address === null || address.kind !== "unix") {
    throw new PrmigError("usage", {
      message: `"${socket}" is no path of a QMP socket`,
      lun: "not touched",
      remedy: "prmig qmp-relay --help",
    });
  }
  try {
    return await openQmpSocket(address);
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
    throw new PrmigError("failed", {
      message: `Cannot reach QEMU: ${error.message}`,
      lun: "not touched",
      remedy: "name a QMP socket of a QEMU that runs on this host",
    }, { cause: error });
  }
}

async function upwards({ write }: QmpChannel, { stdin }: CommandContext): Promise<void> {
  for await (const chunk of stdin.stream()) await write(chunk);
}

async function downwards({ readable }: QmpChannel, { writeStdout }: CommandContext): Promise<void> {
  for await (const chunk of readable) writeStdout(chunk);
}
