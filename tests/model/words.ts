/**
 * A move in words, for a trace.
 *
 * @module
 */
import type { JournalEntry } from "../../lib/migrate/journal_entry.ts";
import { isToken } from "../../lib/migrate/tokens.ts";
import type { Message } from "../../lib/migrate/messages.ts";
import { decodePrCdb } from "../../lib/pr/cdb.ts";
import { describeCommand, describeReply } from "../../lib/pr/describe.ts";
import { classify } from "../../lib/scsi/outcome.ts";
import { K, K2, type Scene, T_KEY } from "./scene.ts";
import type { World } from "./world.ts";
import type { Command } from "./luns.ts";
import { isPrOut } from "./steps.ts";

export function said(scene: Scene, world: World, op: Command): string {
  const { reply } = scene.luns.execute(world.lun, op);
  const answer = isPrOut(op) ? describeReply(op.cdb, reply) : classify(reply).kind;
  return `${describe(scene, op)} -> ${answer}`;
}

export function describe(scene: Scene, op: Command): string {
  const [, port] = op.nexus.split("#");
  const via = (op.lun > 0 ? `LUN ${op.lun + 1}: ` : "") + (port ? `path ${port}: ` : "");
  const words = decodePrCdb(op.cdb).kind === "in" ? "reads the LUN" : describeCommand(op.cdb, op.data);
  return via + withNames(scene, words.replace("PERSISTENT RESERVE OUT, ", ""));
}

/** Keys by the names the documents give them. */
export function withNames({ offers }: Scene, text: string): string {
  const names = new Map([[K, "K"], [K2, "L"], [T_KEY, "t"], [0n, "0"]]);
  for (const { commitToken, destinationToken } of offers) {
    names.set(commitToken, "X");
    if (destinationToken !== null) names.set(destinationToken, "Y");
  }
  return text.replaceAll(/0x[0-9a-f]{16}/g, (digits) => {
    const key = BigInt(digits);
    return names.get(key) ?? (isToken(key) ? `Z${key & 0xffn}` : digits);
  });
}

export function inWords({ phase, committed, outcome }: JournalEntry): string {
  return `${phase}${outcome ? ` ${outcome}` : ""}${committed ? ", committed" : ""}`;
}

export function inWordsMessage(message: Message): string {
  return "reason" in message ? `${message.record} (${message.reason})` : message.record;
}
