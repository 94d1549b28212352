/**
 * Completion for bash: one function, no helper from anywhere else, so that it works wherever bash does.
 *
 * Pure.
 *
 * @module
 */
import { PROGRAM_OPTIONS, type ShellCommand, type ShellOption, type Target } from "./targets.ts";

/** The script, to be sourced or put where bash-completion finds it. */
export function bashCompletion(commands: readonly ShellCommand[]): string {
  return `# bash completion for prmig; made from the definitions of the commands, not to be edited.

_prmig_devices() {
    local node
    for node in /dev/sd* /dev/sg* /dev/mapper/* /dev/disk/by-id/* /dev/disk/by-path/*; do
        [[ -e $node && $node != /dev/mapper/control && $node == "$1"* ]] && COMPREPLY+=("$node")
    done
    # A path of one's own, and the file of a simulated LUN.
    if [[ $1 != /dev/* ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$1")
    fi
    [[ -n $1 && sim: == "$1"* ]] && { compopt -o nospace; COMPREPLY+=(sim:); }
}

_prmig_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_prmig_words() {
    mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
}

_prmig() {
    local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= i
    # Bash takes --option=value and sim:FILE apart at = and :
    if [[ $cur == [=:] ]]; then
        cur=
    fi
    if [[ $prev == = ]]; then
        prev=\${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $prev == : ]]; then
        prev=
    fi
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ \${COMP_WORDS[i]} == -* ]] || { command=\${COMP_WORDS[i]}; break; }
    done
    case $command:$prev in
${optionValues(commands)}
    esac
    if [[ $cur == -* ]]; then
        case $command in
${
    commands.map((command) => `        ${command.name}) _prmig_words "$cur" "${optionNames(command.options)}" ;;`).join(
      "\n",
    )
  }
        *) _prmig_words "$cur" "${optionNames(PROGRAM_OPTIONS)}" ;;
        esac
        return
    fi
    case $command in
    "") _prmig_words "$cur" "${commands.map(({ name }) => name).join(" ")}" ;;
${commands.flatMap(argumentCase).join("\n")}
    esac
}

complete -F _prmig prmig
`;
}

/** `dump:--timeout) return ;;`: what stands after an option with a value. */
function optionValues(commands: readonly ShellCommand[]): string {
  return commands.flatMap(({ name, options }) =>
    options.filter(({ value }) => value !== null).map(({ long, short, value }) => {
      const patterns = [long, ...(short === null ? [] : [short])].map((word) => `${name}:${word}`).join(" | ");
      return `    ${patterns}) ${action(value!.target, ["return"])} ;;`;
    })
  ).join("\n");
}

function argumentCase({ name, args }: ShellCommand): string[] {
  const [first] = args;
  return first === undefined || first.target.kind === "free" ? [] : [`    ${name}) ${action(first.target, [])} ;;`];
}

function action(target: Target, then: readonly string[]): string {
  const does = {
    words: (words: readonly string[]) => [`_prmig_words "$cur" "${words.join(" ")}"`],
    device: () => ['_prmig_devices "$cur"'],
    file: () => ['_prmig_files "$cur"'],
    user: () => ['mapfile -t COMPREPLY < <(compgen -u -- "$cur")'],
    group: () => ['mapfile -t COMPREPLY < <(compgen -g -- "$cur")'],
    free: () => [],
  };
  const steps = target.kind === "words" ? does.words(target.words) : does[target.kind]();
  return [...steps, ...then].join("; ");
}

function optionNames(options: readonly ShellOption[]): string {
  return options.flatMap(({ long, short }) => [long, ...(short === null ? [] : [short])]).join(" ");
}
