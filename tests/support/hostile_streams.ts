/**
 * Clients of the pr-helper protocol that break it: streams of bytes and descriptors, more noise than sense.
 *
 * @module
 */
import { SysError } from "../../lib/sys/errno.ts";
import { closeFd } from "../../lib/sys/fd.ts";
import { sendWithDescriptors } from "../../lib/sys/message.ts";
import { connectTo } from "../../lib/sys/unix_socket.ts";

/** A stream that begins well more often than not, and may end anywhere. */
function pieces(
  roll: (below: number) => number,
  descriptors: readonly number[],
): [Uint8Array<ArrayBuffer>, number[]][] {
  const list: [Uint8Array<ArrayBuffer>, number[]][] = [];
  if (roll(8) > 0) list.push([new Uint8Array(4), []]);
  for (let count = roll(4); count >= 0; count--) {
    const size = [16, 16, 16, 24, 40, 1 + roll(60)][roll(6)]!;
    const head = [roll(5) ? 0x5e + roll(2) : roll(256), roll(10), roll(16), 0, 0, 0, 0, roll(30) ? 0 : roll(256)];
    const sensible = [...head, [0, 8, 24, 255][roll(4)]!];
    const noise = roll(3) === 0;
    const bytes = Uint8Array.from({ length: size }, (_, i) => noise ? roll(256) : sensible[i] ?? 0);
    list.push([
      bytes,
      Array.from({ length: [1, 1, 1, 0, 2, 12][roll(6)]! }, () => descriptors[roll(descriptors.length)]!),
    ]);
  }
  return list;
}

/** Throws a stream at the server and leaves, with or without waiting for whatever comes. */
export async function attack(
  path: string,
  roll: (below: number) => number,
  descriptors: readonly number[],
): Promise<void> {
  let socket: number;
  try {
    socket = connectTo(path);
  } catch (error) {
    if (error instanceof SysError && error.code === "EAGAIN") return await turn(); // the queue is full of us
    throw error;
  }
  try {
    for (const [bytes, sent] of pieces(roll, descriptors)) {
      sendWithDescriptors(socket, bytes, sent);
      if (roll(4) === 0) await turn();
    }
  } catch (error) {
    if (!(error instanceof SysError)) throw error; // EPIPE, ECONNRESET: thrown out, as it should be
  } finally {
    closeFd(socket);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
