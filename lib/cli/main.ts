/**
 * The command line from words to exit code: reads them, shows help, runs a command, presents its failure.
 *
 * @module
 */
import { EXIT, PrmigError } from "../errors.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import type { CommandContext, World } from "./context.ts";
import { parseWords } from "./dispatch.ts";
import { commandHelp, helpOn, programHelp } from "./help.ts";
import { type Circumstances, present } from "./present.ts";
import { VERSION } from "./version.ts";

const GLOBAL_WORDS = ["--json", "-v", "--verbose"];

/** Does what the words say. Never throws; the caller exits with the code. */
export async function main(words: readonly string[], world: World, commands = COMMANDS): Promise<number> {
  const own = beforeEscape(words);
  const circumstances = { json: own.includes("--json"), colour: world.err.colour, changesLun: false };
  try {
    if (own.length === 0) {
      world.err.line(programHelp(commands));
      return EXIT.usage;
    }
    const asksHelp = own.includes("--help") || own.includes("-h");
    const rest = commandFirst(words);
    const command = commands.find(({ name }) => name === rest[0]);
    if (asksHelp && (command !== undefined || rest[0]?.startsWith("-"))) {
      world.out.line(command ? commandHelp(command) : programHelp(commands));
      return EXIT.ok;
    }
    if (rest[0] === "--version" || rest[0] === "-V") {
      world.out.line(VERSION);
      return EXIT.ok;
    }
    if (rest[0]?.startsWith("-")) throw usage(`a command comes first, not "${rest[0]}"`, null);
    const parsed = await parseWords(commands, rest);
    if (parsed.kind === "wrong") throw usage(parsed.message, parsed.command);
    circumstances.changesLun = parsed.command.changesLun;
    return await runCommand(parsed.command, parsed.input, world, circumstances, (topic) => helpOn(topic, commands));
  } catch (error) {
    return report(error, world, circumstances);
  }
}

async function runCommand(
  command: Command,
  input: Readonly<Record<string, unknown>>,
  world: World,
  circumstances: Circumstances,
  help: CommandContext["help"],
): Promise<number> {
  const stop = new AbortController();
  const { out, err, env, stdin, writeStdout, closeStdout } = world;
  const context: CommandContext = {
    out,
    err,
    env,
    stdin,
    writeStdout,
    closeStdout,
    json: circumstances.json,
    verbose: input.verbose === true,
    signal: stop.signal,
    help,
  };
  const interrupted = Promise.withResolvers<never>();
  interrupted.promise.catch(() => {}); // nobody may be waiting for it any more when it comes
  const forget = world.onInterrupt((signal) => {
    const again = stop.signal.aborted;
    const error = interruption(command, signal, again);
    stop.abort(error);
    if (again || !(command.changesLun || command.stopsItself)) interrupted.reject(error);
    else if (command.changesLun) world.err.line(`${signal}: stopping in good order; once more to stop at once`);
  });
  try {
    return await Promise.race([command.run(input, context), interrupted.promise]) ?? EXIT.ok;
  } finally {
    forget();
  }
}

/** A reading command may stop anywhere. A changing one stops itself; if it is cut short, nobody knows how far it got. */
function interruption(command: Command, signal: string, again: boolean): PrmigError {
  if (again && command.changesLun) {
    return new PrmigError("unsure", {
      message: `prmig ${command.name} was cut short by a second ${signal}`,
      lun: "not known; a command may have been under way",
      // Where the definition promises that recover goes on, it is the remedy.
      remedy: command.exits.unsure?.includes("prmig recover") ? "prmig recover" : "look at the LUN with `prmig dump`",
    });
  }
  return new PrmigError("interrupted", {
    message: `interrupted by ${signal}`,
    lun: "as before",
    remedy: `run prmig ${command.name} again when you like`,
  });
}

function usage(message: string, command: Command | null): PrmigError {
  const remedy = command ? `prmig ${command.name} --help` : "prmig --help";
  return new PrmigError("usage", { message, lun: "not touched", remedy });
}

function report(error: unknown, world: World, circumstances: Circumstances): number {
  const { stderr, exitCode } = present(error, circumstances);
  world.err.line(stderr);
  return exitCode;
}

/** `prmig --json dump X` means `prmig dump X --json`. */
function commandFirst(words: readonly string[]): string[] {
  const at = words.findIndex((word) => !GLOBAL_WORDS.includes(word));
  return at <= 0 ? [...words] : [words[at]!, ...words.slice(at + 1), ...words.slice(0, at)];
}

function beforeEscape(words: readonly string[]): readonly string[] {
  const at = words.indexOf("--");
  return at < 0 ? words : words.slice(0, at);
}
