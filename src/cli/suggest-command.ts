import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { nearestMatch } from "#model/nearest-match.ts";

/** How many commands are named at most: more would be a list of all. */
const namedMax = 4;

/** Words of other programs, or of what people look for, with the commands here that answer. */
const otherWords: Readonly<Record<string, readonly string[]>> = {
  policy: ["validate", "plan"],
  policies: ["validate", "plan"],
  check: ["validate", "doctor"],
  lint: ["validate"],
  format: ["fmt"],
  serve: ["up"],
  server: ["up"],
  start: ["up", "schedule run"],
  stop: ["pause", "cancel"],
  abort: ["cancel"],
  rollback: ["undo"],
  history: ["audit", "runs"],
  logs: ["audit", "runs"],
  errors: ["failures"],
  drain: ["cordon"],
  evacuate: ["cordon"],
  health: ["doctor", "status"],
  workers: ["nodes"],
  sql: ["index query"],
  list: ["ls"],
  describe: ["show"],
};

/**
 * The question whether another command was meant: one of this group that is spelt nearly so, else
 * one of the same name below it or elsewhere, else the ones that other programs call so.
 */
export function suggestCommand(word: string, group: CommandUnknownOpts): string | undefined {
  const typed = word.toLowerCase();
  const own = group.commands.map((one) => one.name());
  const paths = pathsBelow(programOf(group));
  const below = paths.filter((path) => path.startsWith(`${pathOf(group)} `));
  const lastWords = [...new Set(paths.map(lastOf))];
  const near = nearestMatch(typed, own);
  const other = otherWords[nearestMatch(typed, Object.keys(otherWords)) ?? ""] ?? [];
  const ofOthers = other.flatMap((name) =>
    paths.filter((path) => path === name || lastOf(path) === name),
  );
  const attempts = [
    // `import-dir` is `import dir` rather than `import-car`.
    inFull(paths.filter((path) => path.includes(" ") && path.replaceAll(" ", "-") === typed)),
    near === undefined ? [] : [near],
    other.filter((name) => own.includes(name)),
    inFull(below.filter((path) => lastOf(path) === typed)),
    inFull(paths.filter((path) => lastOf(path) === typed)),
    beginning(typed, own),
    inFull(ofOthers),
    inFull(paths.filter((path) => lastOf(path) === nearestMatch(typed, lastWords))),
  ];
  const meant = attempts.find((names) => names.length > 0);
  return meant === undefined ? undefined : question(meant);
}

/** The question whether an option of these was meant that is spelt nearly so or begins so. */
export function suggestOption(option: string, names: readonly string[]): string | undefined {
  if (!option.startsWith("--")) return undefined;
  const word = bare(option.toLowerCase());
  const own = names.map(bare);
  const near = nearestMatch(word, own);
  const meant = near === undefined ? beginning(word, own) : [near];
  return meant.length === 0 ? undefined : question(meant.map((name) => `--${name}`));
}

function bare(option: string): string {
  return option.replace(/^--/, "");
}

/** The one that begins so; nothing when several do. */
function beginning(word: string, names: readonly string[]): readonly string[] {
  const alike = names.filter((name) => word.length > 1 && name.startsWith(word));
  return alike.length === 1 ? alike : [];
}

/** What stands elsewhere is told with all its words. */
function inFull(paths: readonly string[]): readonly string[] {
  return paths.map((path) => `\`thermocline ${path}\``);
}

function question(names: readonly string[]): string {
  const named = names.slice(0, namedMax);
  if (names.length > namedMax) named.push("another");
  const last = named.pop() ?? "";
  return `Did you mean ${named.length === 0 ? last : `${named.join(", ")} or ${last}`}?`;
}

function programOf(command: CommandUnknownOpts): CommandUnknownOpts {
  return command.parent === null ? command : programOf(command.parent);
}

/** The words of this group, such as `index snapshot`; none of the program itself. */
function pathOf(group: CommandUnknownOpts): string {
  if (group.parent === null) return "";
  return `${pathOf(group.parent)} ${group.name()}`.trimStart();
}

/** The words of all commands and groups below this one, such as `index snapshot ls`. */
function pathsBelow(group: CommandUnknownOpts): readonly string[] {
  return group.commands.flatMap((command) => [
    command.name(),
    ...pathsBelow(command).map((path) => `${command.name()} ${path}`),
  ]);
}

function lastOf(path: string): string {
  return path.split(" ").at(-1) ?? path;
}
