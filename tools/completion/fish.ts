/**
 * Completion for fish: a line an option.
 *
 * Pure.
 *
 * @module
 */
import { PROGRAM_OPTIONS, type ShellCommand, type ShellOption, type Target } from "./targets.ts";

/** The file `prmig.fish`. */
export function fishCompletion(commands: readonly ShellCommand[]): string {
  return [
    "# Made from the definitions of the commands; not to be edited.",
    "",
    "function __prmig_devices",
    "    for node in /dev/sd* /dev/sg* /dev/mapper/* /dev/disk/by-id/*",
    "        test $node != /dev/mapper/control; and echo $node",
    "    end",
    "    __fish_complete_path (commandline -ct)",
    "end",
    "",
    "complete -c prmig -f",
    ...commands.map(({ name, summary }) =>
      `complete -c prmig -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`
    ),
    ...PROGRAM_OPTIONS.map((option) => `complete -c prmig -n __fish_use_subcommand ${optionWords(option)}`),
    ...commands.flatMap(commandLines),
    "",
  ].join("\n");
}

function commandLines({ name, options, args }: ShellCommand): string[] {
  const head = `complete -c prmig -n ${quote(`__fish_seen_subcommand_from ${name}`)}`;
  const [first] = args;
  const words = first === undefined ? "" : targetWords(first.target);
  return [
    "",
    ...options.map((option) => `${head} ${optionWords(option)}`),
    ...(words === "" ? [] : [`${head} ${words} -d ${quote(first!.placeholder)}`]),
  ];
}

function optionWords({ long, short, help, value }: ShellOption): string {
  const names = `-l ${long.slice(2)}${short === null ? "" : ` -s ${short.slice(1)}`}`;
  if (value === null) return `${names} -d ${quote(help)}`;
  const words = targetWords(value.target);
  return [names, "-x", words, "-d", quote(help)].filter((word) => word !== "").join(" ");
}

function targetWords(target: Target): string {
  switch (target.kind) {
    case "words":
      return `-a ${quote(target.words.join(" "))}`;
    case "device":
      return "-a '(__prmig_devices)'";
    case "file":
      return "-a '(__fish_complete_path (commandline -ct))'";
    case "user":
      return "-a '(__fish_complete_users)'";
    case "group":
      return "-a '(__fish_complete_groups)'";
    case "free":
      return "";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
