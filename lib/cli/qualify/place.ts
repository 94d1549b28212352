/**
 * Where a nexus is: a device of this host, or one of another that is reached by ssh. Pure.
 *
 *     /dev/sdb    sim:lun.json?nexus=A    ssh:HOST:/dev/sdb    ssh:user@HOST:sim:lun.json?nexus=B    ssh:[fe80::1]:/dev/sdb
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";

/** A place. */
export type Place =
  | { readonly kind: "here"; readonly address: string }
  | { readonly kind: "there"; readonly address: string; readonly host: string; readonly device: string };

/** Reads a word. Throws PrmigError `usage`. */
export function parsePlace(word: string): Place {
  if (!word.startsWith("ssh:")) return { kind: "here", address: word };
  const match = /^ssh:(?:([^@\s:]+@)?\[([^\]\s]+)\]|([^:\s]+)):(.+)$/s.exec(word);
  const [, user = "", bracketed, plain, device = ""] = match ?? [];
  const host = bracketed === undefined ? plain ?? "" : user + bracketed;
  // ssh would take such a host for an option.
  if (match === null || host.startsWith("-") || device.startsWith("-") || device.startsWith("ssh:")) {
    throw new PrmigError("usage", {
      message: `"${word}" names no device of another host`,
      lun: "not touched",
      remedy: "write ssh:HOST:DEV, for example ssh:dst:/dev/sdb",
    });
  }
  return { kind: "there", address: word, host, device };
}

/** The shell command that starts the far end, given the words that start ssh. */
export function relayCommand(ssh: string, { host, device }: { host: string; device: string }): string {
  return `${ssh} ${quoted(host)} ${quoted(`prmig qualify-relay ${quoted(device)}`)}`;
}

/** A word as the shell takes it, whatever is in it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
