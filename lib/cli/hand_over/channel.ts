/**
 * The ways between send and recv: a one-way pipe, a child's stdin and stdout, a socket.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { linesOf } from "../../migrate/lines.ts";
import { lunLink, streamLink } from "../../migrate/links.ts";
import type { Clock, Link } from "../../migrate/ports.ts";
import { badStream, OfferReader, type OfferStream } from "../../migrate/stream.ts";
import type { CommandContext } from "../context.ts";
import type { Duplex } from "./duplex.ts";
import { connectTo, listenOn } from "./sockets.ts";
import { spawnOther } from "./child.ts";
import type { TlsFiles } from "./tls.ts";

/** The source's end of a way. */
export interface Channel {
  readonly link: Link;
  readonly writeOffer: (bytes: Uint8Array) => Promise<void>;
  close(): Promise<void>;
}

/** The destination's end, with the offer that came through it. */
export interface Incoming {
  readonly stream: OfferStream;
  readonly link: Link;
  /** Stdout belongs to the stream; people are told on stderr. */
  readonly stdoutIsStream: boolean;
  close(): Promise<void>;
}

/** Opens the source's way to the other side. */
export async function openChannel(
  { to, connect, tls }: {
    readonly to: string | undefined;
    readonly connect: string | undefined;
    readonly tls: TlsFiles | null;
  },
  clock: Clock,
  context: CommandContext,
): Promise<Channel> {
  if (to === undefined && connect === undefined) return pipe(clock, context);
  const duplex = to === undefined ? await connectTo(connect!, tls) : spawnOther(to);
  const link = linkOver(duplex, linesOf(duplex.readable), clock, context);
  return { link, writeOffer: duplex.write, close: duplex.close };
}

/** Stdout: the offer, then its end, so that recv knows that nothing follows. */
function pipe(clock: Clock, context: CommandContext): Channel {
  return {
    link: lunLink(clock),
    writeOffer: async (bytes) => {
      context.writeStdout(bytes);
      await context.closeStdout();
    },
    close: () => Promise.resolve(),
  };
}

/** Takes one whole offer, from stdin or from the first peer of a listening socket. Throws PrmigError `refused`. */
export async function acceptOffer(
  { listen, timeout, tls }: {
    readonly listen: string | undefined;
    readonly timeout: number;
    readonly tls: TlsFiles | null;
  },
  clock: Clock,
  context: CommandContext,
): Promise<Incoming> {
  if (listen === undefined && context.stdin.isTerminal) {
    throw new PrmigError("usage", {
      message: "recv reads the stream of prmig send on stdin, and this is a terminal",
      lun: "not touched",
      remedy: "prmig send DEV | ssh HOST prmig recv, or prmig recv --listen unix:PATH",
    });
  }
  const duplex = listen === undefined ? stdio(context) : await listenOn(listen, tls, context);
  try {
    const lines = linesOf(duplex.readable);
    const stream = await withinTime(readOffer(lines), timeout);
    const twoWay = stream.hello.signals === "stream";
    if (!twoWay) await nothingFollows(lines);
    const link = twoWay ? linkOver(duplex, lines, clock, context) : lunLink(clock);
    return { stream, link, stdoutIsStream: twoWay && listen === undefined, close: duplex.close };
  } catch (error) {
    await duplex.close();
    throw error;
  }
}

function linkOver(duplex: Duplex, lines: AsyncIterable<string>, clock: Clock, context: CommandContext): Link {
  return streamLink({
    lines,
    write: duplex.write,
    clock,
    onBroken: (why) => context.err.line(`the connection to the other side ended: ${why}`),
  });
}

async function readOffer(lines: AsyncGenerator<string>): Promise<OfferStream> {
  const reader = new OfferReader();
  while (!reader.whole) {
    const { done, value } = await lines.next();
    if (done) throw badStream("it ends before its end record");
    await reader.take(value);
  }
  return reader.whole;
}

/**
 * An offer that was sent twice, or joined with another, goes on without a pause. A pipe that merely stays open (some
 * wrapper around send holds it) is no reason to wait for its end.
 */
const FOLLOWS_MS = 250;

async function nothingFollows(lines: AsyncGenerator<string>): Promise<void> {
  const pause = Promise.withResolvers<"pause">();
  const timer = setTimeout(() => pause.resolve("pause"), FOLLOWS_MS);
  const next = await Promise.race([lines.next(), pause.promise]);
  clearTimeout(timer);
  if (next !== "pause" && !next.done) throw badStream("there is something after the end record");
}

async function withinTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(noOffer(ms)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function noOffer(ms: number): PrmigError {
  return new PrmigError("failed", {
    message: `No whole offer came within ${ms / 1000} s`,
    lun: "unchanged: nothing was sent to any LUN",
    remedy: "see what prmig send says on the source; --timeout 2m waits longer",
  });
}

function stdio({ stdin, writeStdout }: CommandContext): Duplex {
  return {
    readable: stdin.stream(),
    write: (bytes) => Promise.resolve(writeStdout(bytes)),
    close: () => Promise.resolve(),
  };
}
