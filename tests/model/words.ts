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
import { type Command, isPrOut } from "./steps.ts";

export function said(scene: Scene, world: World, op: Command): string {
  const { reply } = scene.luns.execute(world.lun, op.nexus, op.cdb, op.data);
  const answer = isPrOut(op) ? describeReply(op.cdb, reply) : classify(reply).kind;
  return `${describe(scene, op)} -> ${answer}`;
}

export function describe(scene: Scene, op: Command): string {
  const [, port] = op.nexus.split("#");
  const via = port ? `path ${port}: ` : "";
  const words = decodePrCdb(op.cdb).kind === "in" ? "reads the LUN" : describeCommand(op.cdb, op.data);
  return via + withNames(scene, words.replace("PERSISTENT RESERVE OUT, ", ""));
}

/** Keys by the names the documents give them. */
export function withNames({ offer }: Scene, text: string): string {
  const names = new Map([[K, "K"], [K2, "L"], [offer.commitToken, "X"], [T_KEY, "t"], [0n, "0"]]);
  if (offer.destinationToken !== null) names.set(offer.destinationToken, "Y");
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
