/**
 * Every completion script there is, by the name under which its shell looks for it.
 *
 * @module
 */
import { COMMANDS } from "../../lib/cli/commands.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { shellCommands } from "./targets.ts";
import { zshCompletion } from "./zsh.ts";

/** `prmig.bash`, `_prmig`, `prmig.fish`. */
export function completionScripts(): Map<string, string> {
  const commands = shellCommands(COMMANDS);
  return new Map([
    ["prmig.bash", bashCompletion(commands)],
    ["_prmig", zshCompletion(commands)],
    ["prmig.fish", fishCompletion(commands)],
  ]);
}
