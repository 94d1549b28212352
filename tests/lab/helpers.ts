/**
 * Helpers under test in the lab: `prmig snoop` and the real qemu-pr-helper, started the same way, spoken to the same way.
 *
 * @module
 */
import assert from "node:assert/strict";
import { closeFd, O_NONBLOCK, O_RDWR, openFd } from "../../lib/sys/fd.ts";
import { HelperClient, type RawReply } from "../support/helper_client.ts";
import { type Finished, prmigCommand, type Running, start } from "./support.ts";

/** A helper that serves. */
export interface ServingHelper {
  readonly socket: string;
  readonly process: Running;
  /** SIGTERM, and how it ended. */
  stop(): Promise<Finished>;
  /** SIGKILL. */
  kill(): Promise<Finished>;
}

/** How to start `prmig snoop`. */
export interface SnoopOptions {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly socket?: string;
}

let count = 0;

/** Starts `prmig snoop` and waits until it accepts. */
export function startSnoop({ args = [], env = {}, socket }: SnoopOptions = {}): Promise<ServingHelper> {
  const path = socket ?? `/run/snoop-${++count}.sock`;
  return servingHelper(start(prmigCommand(["snoop", "-k", path, ...args]), { env, timeoutMs: 600_000 }), path);
}

/** Starts the real thing. */
export function startStock(args: readonly string[] = []): Promise<ServingHelper> {
  const path = `/run/stock-${++count}.sock`;
  return servingHelper(start(["qemu-pr-helper", "-k", path, ...args], { timeoutMs: 600_000 }), path);
}

/** Waits until a helper that was started accepts. */
export async function servingHelper(process: Running, socket: string): Promise<ServingHelper> {
  for (const until = Date.now() + 60_000;;) {
    try {
      (await HelperClient.greeted(socket)).close();
      break;
    } catch (error) {
      const ended = await Promise.race([process.finished, pause(50)]);
      assert.ok(!ended, `the helper ended: ${JSON.stringify(ended)}`);
      if (Date.now() > until) throw error;
    }
  }
  const end = (signal: Deno.Signal): Promise<Finished> => {
    process.kill(signal);
    return process.finished;
  };
  return { socket, process, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}

/** A client with a node of its own to send. */
export class NodeClient implements Disposable {
  private constructor(readonly client: HelperClient, readonly descriptor: number) {}

  static async open(socket: string, node: string, flags = O_RDWR): Promise<NodeClient> {
    const descriptor = await openFd(node, flags | O_NONBLOCK);
    return new NodeClient(await HelperClient.greeted(socket, 120_000), descriptor);
  }

  /** One command. */
  send(cdb: Uint8Array, parameters?: Uint8Array): Promise<RawReply> {
    return this.client.command(cdb, this.descriptor, parameters);
  }

  /** A PR OUT with a basic parameter list; once more after a unit attention. */
  async prOut(action: number, rk: bigint, sark: bigint, type = 0): Promise<RawReply> {
    const list = new Uint8Array(24);
    new DataView(list.buffer).setBigUint64(0, rk);
    new DataView(list.buffer).setBigUint64(8, sark);
    const cdb = Uint8Array.of(0x5f, action, type, 0, 0, 0, 0, 0, 24, 0);
    const reply = await this.send(cdb, list);
    return reply.status === 2 && reply.sense[2] === 6 ? await this.send(cdb, list) : reply;
  }

  /** A PR IN. */
  prIn(action: number, allocation = 8192): Promise<RawReply> {
    return this.send(Uint8Array.of(0x5e, action, 0, 0, 0, 0, 0, allocation >> 8, allocation & 0xff, 0));
  }

  [Symbol.dispose](): void {
    this.client.close();
    closeFd(this.descriptor);
  }
}

/** How many descriptors a helper has now. */
export function descriptorCount({ process }: ServingHelper): number {
  return [...Deno.readDirSync(`/proc/${process.pid}/fd`)].length;
}

/** How many it has at rest: files it opens for a moment do not count. */
export async function restingDescriptors(helper: ServingHelper): Promise<number> {
  let count = descriptorCount(helper);
  for (let same = 0; same < 10; await pause(50)) {
    const now = descriptorCount(helper);
    same = now === count ? same + 1 : 0;
    count = now;
  }
  return count;
}

/** Waits until the helper has given back all but `count`. */
export async function descriptorsBack(helper: ServingHelper, count: number): Promise<void> {
  await eventually(`no more than ${count} descriptors`, () => descriptorCount(helper) <= count);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `condition` gives something. */
export async function eventually<T>(what: string, condition: () => T | null | undefined | false): Promise<T> {
  for (const until = Date.now() + 60_000;;) {
    const got = condition();
    if (got) return got;
    assert.ok(Date.now() < until, `never came true: ${what}`);
    await pause(20);
  }
}
