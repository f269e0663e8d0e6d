import type { Setting } from "../settings/setting.ts";
import { type Command, operandsOf, UsageError } from "./command.ts";

const program = "pilot-discovery";
const functionName = program.replace("-", "_");
const shells = ["bash", "zsh", "fish"] as const;

/** Scripts with which a shell completes commands and flags. @param commands those that are completed */
export function completionCommand(commands: () => readonly Command[]): Command {
  return {
    name: "completion",
    summary: "Prints a script with which a shell completes commands and flags.",
    operands: shells.join("|"),
    flagGroups: {},
    examples: [
      `source <(${program} completion bash)`,
      `${program} completion zsh > "\${fpath[1]}/_${program}"`,
      `${program} completion fish > ~/.config/fish/completions/${program}.fish`,
    ],
    run: (args, { out }) => {
      const [shell = ""] = operandsOf(args, `${program} completion ${shells.join("|")}`, 1, 1);
      out(completionScript(shell, commands()));
      return Promise.resolve(0);
    },
  };
}

/** @throws UsageError for a shell that is not known */
export function completionScript(shell: string, commands: readonly Command[]): string {
  if (shell === "bash") return bash(commands);
  if (shell === "zsh") return zsh(commands);
  if (shell === "fish") return fish(commands);
  throw new UsageError(`"${shell}" is none of the shells that are known: ${shells.join(", ")}`);
}

const flagsOf = ({ flagGroups }: Command): [string, Setting][] =>
  Object.values(flagGroups).flatMap((table) => Object.entries(table));

function bash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const cases = commands.map((command) => {
    const words = [...flagsOf(command).map(([name]) => `--${name}`), "--help", ...wordsOf(command)];
    return `    ${command.name}) words="${words.join(" ")}" ;;`;
  });
  return `# bash completion for ${program}
_${functionName}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="${names.join(" ")}" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
${cases.map((line) => `  ${line.replace(" ;;", "; break ;;")}`).join("\n")}
    esac
  done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${functionName} ${program}
`;
}

/** Operands that are one of a few words. */
const wordsOf = ({ operands }: Command): string[] => (/^[a-z|]+$/.test(operands) ? operands.split("|") : []);

function zsh(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) => quoted(`${name}:${summary}`));
  const cases = commands.map((command) => {
    const specs = flagsOf(command).map(([name, { type, meaning }]) => {
      const text = meaning.replaceAll(/[[\]:\\]/g, (character) => `\\${character}`);
      return quoted(
        `--${name}${type === "bool" ? "" : "="}[${text}]${type === "bool" ? "" : ":value:_files"}`,
      );
    });
    const operands = wordsOf(command).map((word) => quoted(word));
    const rest = operands.length > 0 ? [quoted(`1:operand:(${wordsOf(command).join(" ")})`)] : [];
    return `    ${command.name}) _arguments ${[...specs, ...rest, quoted("--help[show help]")].join(" ")} ;;`;
  });
  return `#compdef ${program}
_${program}() {
  local -a commands=(${described.join(" ")})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_${program}" ]; then
  _${program}
else
  compdef _${program} ${program}
fi
`;
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const { name, summary } = command;
    const seen = `complete -c ${program} -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      `complete -c ${program} -f -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...flagsOf(command).map(
        ([flag, { type, short, meaning }]) =>
          `${seen} -l ${flag}${short === undefined ? "" : ` -s ${short}`}${type === "bool" ? "" : " -r"} -d ${quoted(meaning)}`,
      ),
      ...wordsOf(command).map((word) => `${seen} -f -a ${word}`),
    ];
  });
  return `# fish completion for ${program}\n${lines.join("\n")}\n`;
}

/** In single quotes, for all three shells. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
