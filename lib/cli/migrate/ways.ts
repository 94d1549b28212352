/**
 * From `--to` and `--dst-qmp` to the two ways a migration needs: the hand-over's stream, and the destination's monitor.
 * Pure.
 *
 *     --to 'ssh dst'                     ssh dst prmig recv ...          ssh dst prmig qmp-relay SOCK
 *     --to 'ssh dst /opt/prmig recv'     as it stands                    ssh dst /opt/prmig qmp-relay SOCK
 *     --to unix:PATH | tcp:HOST:PORT     a listening prmig recv          a socket of this host
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";

/** The hand-over's way. */
export type StreamWay =
  | { readonly kind: "socket"; readonly address: string }
  /** `whole`: the user wrote all of it; otherwise `prmig recv` and its arguments belong behind. */
  | { readonly kind: "command"; readonly command: string; readonly whole: boolean };

/** The way to a monitor. */
export type MonitorWay =
  | { readonly kind: "socket"; readonly address: string }
  | { readonly kind: "command"; readonly command: string; readonly address: string };

/** What survives a shell, and the shell behind ssh, as it is. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Reads `--to`. */
export function streamWay(to: string): StreamWay {
  if (/^(unix|tcp):/.test(to)) return { kind: "socket", address: to };
  return { kind: "command", command: to.trim(), whole: /\brecv\b/.test(to) };
}

/** The command for the other side's `recv`; devices that a shell might misread are left for recv to find. */
export function recvCommand(
  { command, whole }: Extract<StreamWay, { kind: "command" }>,
  devices: readonly string[] | null,
  timeoutMs: number,
): string {
  if (whole) return command;
  const named = devices?.every((device) => PLAIN_WORD.test(device)) ? devices : [];
  return [command, "prmig", "recv", ...named, "--timeout", `${timeoutMs}ms`].join(" ");
}

/** Reads `--dst-qmp`: a socket beside the other prmig, `unix:`/`tcp:` for one of this host, `exec:` for any other way. */
export function monitorWay(address: string, to: StreamWay): MonitorWay {
  const exec = /^exec:(.+)$/s.exec(address)?.[1];
  if (exec !== undefined) return { kind: "command", command: exec, address };
  if (/^(unix|tcp):/.test(address) || to.kind === "socket") return { kind: "socket", address };
  if (!PLAIN_WORD.test(address)) {
    throw new PrmigError("usage", {
      message: `--dst-qmp ${JSON.stringify(address)} has characters that a shell on the way would misread`,
      lun: "not touched",
      remedy: "give the socket a plain name, or write the whole way: --dst-qmp 'exec:COMMAND'",
    });
  }
  const prefix = to.whole ? to.command.replace(/\s+recv\b.*$/s, "") : `${to.command} prmig`;
  return { kind: "command", command: `${prefix} qmp-relay ${address}`, address: `${address} (${prefix})` };
}
