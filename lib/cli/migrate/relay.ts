/**
 * `prmig qmp-relay`: a QMP socket of this host on stdin and stdout, for a prmig migrate on another.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { QmpError } from "../../qmp/error.ts";
import { openQmpSocket, parseQmpAddress, type QmpSocket } from "../../qmp/socket.ts";
import { CLOCK } from "../hand_over/world.ts";
import type { CommandContext } from "../context.ts";

/** How long a QEMU that was told that nothing more comes has for its last words; one in a switch-over hears nobody. */
const LAST_WORDS_MS = 10_000;

/**
 * Relays until QEMU ends the connection, as it does once stdin has ended and it has answered. Errors: PrmigError `usage`,
 * `failed`.
 */
export async function runRelay({ socket }: { readonly socket: string }, context: CommandContext): Promise<void> {
  const channel = await connect(socket);
  try {
    const said = downwards(channel, context);
    const ended = said.catch(() => undefined); // why it ended, the race below tells
    const told = upwards(channel, context).then(() => CLOCK.sleep(LAST_WORDS_MS, ended));
    await Promise.race([said, told]);
  } finally {
    await channel.close();
  }
}

async function connect(socket: string): Promise<QmpSocket> {
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

async function upwards({ write, endWriting }: QmpSocket, { stdin }: CommandContext): Promise<void> {
  for await (const chunk of stdin.stream()) await write(chunk);
  await endWriting();
}

async function downwards({ readable }: QmpSocket, { writeStdout }: CommandContext): Promise<void> {
  for await (const chunk of readable) writeStdout(chunk);
}
