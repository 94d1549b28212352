/**
 * Completion for zsh: a function `_prmig` over _arguments, with what each option does beside it.
 *
 * Pure.
 *
 * @module
 */
import { PROGRAM_OPTIONS, type ShellCommand, type ShellOption, type Target } from "./targets.ts";

/** The file `_prmig`, for a directory of fpath. */
export function zshCompletion(commands: readonly ShellCommand[]): string {
  return `#compdef prmig
# Made from the definitions of the commands; not to be edited.

_prmig_device() {
  local -a nodes=(/dev/sd*(N) /dev/sg*(N) /dev/mapper/*(N) /dev/disk/by-id/*(N))
  nodes=(\${nodes:#/dev/mapper/control})
  _alternative 'devices:SCSI device:compadd -a nodes' 'files:file:_files' \\
    "simulated:simulated LUN:compadd -S '' sim:"
}

_prmig() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C \\
${PROGRAM_OPTIONS.map((option) => "    " + optionSpec(option) + " \\").join("\n")}
    '1:command:->command' \\
    '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
${commands.map(({ name, summary }) => `        ${quote(`${name}:${summary.replaceAll(":", "\\:")}`)}`).join("\n")}
      )
      _describe -t commands 'prmig command' commands
      ;;
    argument)
      case $words[1] in
${commands.map(commandCase).join("\n")}
      esac
      ;;
  esac
}

_prmig "$@"
`;
}

function commandCase({ name, options, args, many }: ShellCommand): string {
  const specs = [
    ...options.map(optionSpec),
    ...args.map(({ placeholder, target }, i) =>
      quote(`${many && i === args.length - 1 ? "*" : i + 1}:${placeholder}:${action(target)}`)
    ),
  ];
  return `        ${name})\n          _arguments -S ${
    specs.map((spec) => `\\\n            ${spec}`).join(" ")
  }\n          ;;`;
}

/** `'(-v --verbose)'{-v,--verbose}'[what it does]:SHAPE:action'`. */
function optionSpec({ long, short, help, value, repeatable }: ShellOption): string {
  const text = `[${help.replaceAll(/[[\]\\]/g, "\\$&").replaceAll(":", "\\:")}]` +
    (value === null ? "" : `:${value.shape}:${action(value.target)}`);
  const equals = value === null ? "" : "=";
  if (short === null) return quote(`${repeatable ? "*" : ""}${long}${equals}${text}`);
  // A short option takes its value as the next word.
  const forms = `{${short}${value === null ? "" : "+"},${long}${equals}}`;
  return `${quote(repeatable ? "*" : `(${short} ${long})`)}${forms}${quote(text)}`;
}

function action(target: Target): string {
  switch (target.kind) {
    case "words":
      return `(${target.words.join(" ")})`;
    case "device":
      return "_prmig_device";
    case "file":
      return "_files";
    case "user":
      return "_users";
    case "group":
      return "_groups";
    case "free":
      return " ";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
