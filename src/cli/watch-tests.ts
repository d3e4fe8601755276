import { glob, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { WatchedTests } from "#engine/policy-tests/watched-tests.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";
import { EngineError } from "#model/engine-error.ts";
import type { CommandContext } from "#cli/command.ts";
import { FileWatch } from "#cli/file-watch.ts";
import { counted } from "#cli/output/words.ts";

/** More folders than this hold more than tests of policies. */
const foldersMax = 5_000;

/** Changed files that are named; the others are counted. */
const namedMax = 3;

/**
 * Runs tests, and again whenever a file changes that they rest on, until the command is stopped.
 * `show` tells what came of all of them, and its answer to the last is the exit code.
 */
export async function watchTests(
  context: CommandContext,
  places: readonly string[],
  variables: Readonly<Record<string, string>> | undefined,
  show: (report: PolicyTestReport) => Promise<number>,
): Promise<number> {
  const { cwd, signal } = context.io;
  const tests = new WatchedTests(places, cwd, variables);
  using files = new FileWatch();
  let code = 0;
  let changed: ReadonlySet<string> | undefined;
  for (;;) {
    files.follow(await foldersOf(places, cwd, tests.files));
    try {
      const { report, again, because, files: count } = await tests.run(changed);
      if (changed === undefined) context.note(`${counted(count, "test file")}; Ctrl-C ends it`);
      else if (again > 0) {
        context.note(`${namesOf(because, cwd)}: ${again} of ${counted(count, "test file")} again`);
      }
      if (again > 0 || changed === undefined) code = await show(report);
    } catch (thrown) {
      // The place of the tests is gone, perhaps for a moment.
      const { message } = EngineError.from(thrown);
      context.io.stderr.write(`error: ${message}\n`);
      code = 1;
    }
    // What they turned out to rest on may lie elsewhere.
    files.follow(await foldersOf(places, cwd, tests.files));
    changed = await files.changes(signal);
    if (signal.aborted) return code;
  }
}

/** The folders that hold the files, and those in which tests are looked for. */
async function foldersOf(
  places: readonly string[],
  cwd: string,
  files: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const folders = new Set([...files].map((file) => dirname(file)));
  for (const place of places) {
    const path = resolve(cwd, place);
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isDirectory() !== true) {
      folders.add(dirname(path));
      continue;
    }
    folders.add(path);
    for await (const entry of glob("**/", { cwd: path, exclude: isForOthers })) {
      folders.add(join(path, entry));
      if (folders.size > foldersMax) {
        throw new EngineError("USAGE", `there are more than ${foldersMax} folders to watch`, {
          hint: "name the folder of the tests: thermocline test --watch tests",
        });
      }
    }
  }
  return folders;
}

/** Installed packages, and what tools keep for themselves. */
function isForOthers(path: string): boolean {
  return /(^|[/\\])(node_modules|\.[^/\\.][^/\\]*)$/u.test(path);
}

function namesOf(changed: readonly string[], cwd: string): string {
  if (changed.length === 0) return "there are new folders";
  const names = changed.map((path) => relative(cwd, path)).toSorted();
  const rest = names.length - namedMax;
  return `${names.slice(0, namedMax).join(", ")}${rest > 0 ? ` and ${rest} more` : ""} changed`;
}
