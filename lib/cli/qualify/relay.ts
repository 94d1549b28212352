/**
 * `prmig qualify-relay DEV`: the far end of `ssh:HOST:DEV`. Executes the scenarios' commands on one device, refuses every
 * other, and takes back what was registered through it when the connection ends, however it ends.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { linesOf } from "../../migrate/lines.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { patient } from "../../pr/patient.ts";
import { isAtWork } from "../../qualify/at_work.ts";
import { leave } from "../../qualify/tidy.ts";
import type { CommandContext } from "../context.ts";
import { openDevice, traceOf } from "../open.ts";
import { CLOCK } from "../hand_over/world.ts";
import { isPermitted } from "./guard.ts";
import { onePath } from "./site.ts";
import { useOf } from "./use.ts";
import { type Answer, type Ask, decodeAsk, encodeAnswer, encodeGreeting, NotOurs } from "./wire.ts";

/** Where a relay is tried: how long it waits for a word before it takes the other side for dead. */
export interface RelayInput {
  readonly device: string;
  /** Milliseconds. */
  readonly silence: number;
}

/** Serves until the other side ends. Failures are told to the other side, as far as it listens, and thrown. */
export async function runQualifyRelay(input: RelayInput, context: CommandContext): Promise<void> {
  const say = (line: string): void => context.writeStdout(new TextEncoder().encode(line));
  const { device, nexus } = await greeted(input.device, say, context);
  try {
    const failure = await serve(nexus, say, input.silence, context);
    // After a long silence somebody else may be playing by now, perhaps through this very nexus.
    if (failure?.kind !== "silent" || !await isAtWork(patient(nexus), (ms) => CLOCK.sleep(ms))) await left(nexus);
    context.signal.throwIfAborted();
    if (failure !== null) throw failure.error;
  } finally {
    device.close();
  }
}

async function left(nexus: Nexus): Promise<void> {
  try {
    await leave(nexus);
  } catch (error) {
    throw new PrmigError("unsure", {
      message: `Cannot tidy up ${nexus.address}: ${error instanceof Error ? error.message : error}`,
      device: nexus.address,
      lun: "Registrations of the scenarios (keys 0x70726d6700000...) may be left; the next run takes them away.",
      remedy: "run prmig qualify again",
    }, { cause: error });
  }
}

async function greeted(
  address: string,
  say: (line: string) => void,
  context: CommandContext,
): Promise<{ device: { close(): void }; nexus: Nexus }> {
  let device;
  try {
    device = await openDevice(address, { writable: true, patient: false, trace: traceOf(context) });
    const nexus = onePath(device);
    say(encodeGreeting(address, { initiator: nexus.initiator, use: useOf(device.node?.hctl ?? null) }));
    return { device, nexus };
  } catch (error) {
    if (error instanceof PrmigError) say(encodeAnswer({ id: null, failure: error }));
    device?.close();
    throw error;
  }
}

/** Why serving ended before the other side did. */
interface Failure {
  readonly kind: "silent" | "nonsense";
  readonly error: PrmigError;
}

/** `null` when the other side has ended, or this one was told to stop. */
async function serve(
  nexus: Nexus,
  say: (line: string) => void,
  silenceMs: number,
  { stdin, signal }: CommandContext,
): Promise<Failure | null> {
  const lines = linesOf(stdin.stream());
  const stopped = Promise.withResolvers<"stopped">();
  signal.addEventListener("abort", () => stopped.resolve("stopped"), { once: true });
  for (;;) {
    const silent = Promise.withResolvers<"silent">();
    const timer = setTimeout(() => silent.resolve("silent"), silenceMs);
    try {
      const next = await Promise.race([lines.next(), stopped.promise, silent.promise]);
      if (next === "silent") {
        return { kind: "silent", error: ended(`nothing was heard for ${silenceMs / 1000} s`) };
      }
      if (next === "stopped" || next.done) return null;
      say(encodeAnswer(await answerTo(nexus, next.value)));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return null;
      if (error instanceof PrmigError) return { kind: "nonsense", error };
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

async function answerTo(nexus: Nexus, line: string): Promise<Answer> {
  const asked = asks(line);
  if (!isPermitted(asked.cdb)) return { id: asked.id, failure: refused(nexus) };
  try {
    return {
      id: asked.id,
      reply: await nexus.execute(asked.cdb, asked.data, { timeoutMs: asked.timeoutMs }),
    };
  } catch (error) {
    if (!(error instanceof PrmigError)) throw error;
    return { id: asked.id, failure: error };
  }
}

function asks(line: string): Ask {
  try {
    return decodeAsk(line);
  } catch (error) {
    if (!(error instanceof NotOurs)) throw error;
    throw ended(`it says what is no command (${error.message})`);
  }
}

function refused({ address }: Nexus): PrmigError {
  return new PrmigError("refused", {
    message: `Not sent to ${address}: no command of the scenarios`,
    lun: "not touched by this command",
    remedy: "use the same version of prmig on both hosts",
  });
}

function ended(why: string): PrmigError {
  return new PrmigError("failed", {
    message: `The other end of prmig qualify is gone: ${why}`,
    lun: "what was registered through this host is taken back",
    remedy: "run prmig qualify again",
  });
}
