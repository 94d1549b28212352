/**
 * Whether somebody is changing a LUN's registrations at this moment: keys of scenarios may be those of a run that goes on.
 *
 * @module
 */
import { PR_IN_ACTION } from "../pr/cdb.ts";
import type { Nexus } from "../pr/nexus.ts";
import { decodeReadKeys } from "../pr/read_keys.ts";
import { resultOf, sendIn } from "./talk.ts";

/** A run sends something that counts many times a second; over a slow line, once in this many milliseconds. */
export const LOOK_AGAIN_MS = 2500;

/**
 * True when PRGENERATION grows, or keys come and go, while one waits. Give it a patient nexus. A LUN that cannot be read
 * counts as one nobody works on: what follows will say why.
 */
export async function isAtWork(nexus: Nexus, wait: (ms: number) => Promise<void>): Promise<boolean> {
  const before = await look(nexus);
  await wait(LOOK_AGAIN_MS);
  return before !== await look(nexus);
}

async function look(nexus: Nexus): Promise<string> {
  const reply = await sendIn(nexus, PR_IN_ACTION.readKeys, 8192);
  if (resultOf(reply) !== "good") return "unreadable";
  const { generation, keys } = decodeReadKeys(reply.dataIn);
  return `${generation} ${keys.join()}`;
}
