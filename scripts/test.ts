// Runs the tests. Where nobody watches (CI=true), a few files that fail are run again by
// themselves: what fails once in hundreds of runs, with servers that are killed and two files at
// a time, is told apart from what is broken. What passes each time is named, and counts as passed
// (docs/decisions/0145-unsteady-tests-are-named.md).
//   npm test [-- options and files of vitest]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { counted, type FileOutcome, inWords, lastOfEach } from "./test/outcome.ts";

/** More files than these do not fail by chance. */
const filesMax = 3;
/** What fails in every second run is found out by so many in 7 of 8 cases. */
const runsAgain = 3;

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const arguments_ = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "thermocline-outcomes-"));
try {
  process.exitCode = await runTests();
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function runTests(): Promise<number> {
  const first = await run("first", arguments_);
  const failed = first.outcomes.filter(({ failures }) => failures.length > 0);
  const mayBeChance =
    failed.length > 0 && failed.length <= filesMax && failed.every(({ file }) => file !== "");
  if (first.code === 0 || process.env["CI"] !== "true" || !mayBeChance) return first.code;
  const files = failed.map(({ file }) => file);
  const all = [...first.outcomes];
  for (let again = 1; again <= runsAgain; again += 1) {
    console.log(`\nfailed, run again by itself (${again} of ${runsAgain}): ${files.join(", ")}`);
    const next = await run(`again-${again}`, [...options(), "--maxWorkers=1", ...files]);
    all.push(...next.outcomes);
    const hasAll = files.every((file) => next.outcomes.some((outcome) => outcome.file === file));
    if (next.code === 0 && hasAll) continue;
    return end(all, next.code === 0 ? 1 : next.code);
  }
  for (const { file, failures } of failed) {
    for (const failure of failures) {
      const [line = ""] = failure.split("\n");
      console.log(
        `unsteady (failed once, then passed ${runsAgain} of ${runsAgain}): ${file} > ${line}`,
      );
    }
  }
  return end(all, 0);
}

function end(outcomes: readonly FileOutcome[], code: number): number {
  console.log(inWords(counted(lastOfEach(outcomes))));
  return code;
}

/** What vitest was told, without the files to run. */
function options(): readonly string[] {
  return arguments_.filter((argument) => argument.startsWith("--"));
}

async function run(
  name: string,
  told: readonly string[],
): Promise<{ readonly code: number; readonly outcomes: readonly FileOutcome[] }> {
  const path = join(folder, name);
  const child = spawn(process.execPath, [vitest, "run", ...told], {
    stdio: "inherit",
    env: { ...process.env, THERMOCLINE_TEST_OUTCOMES: path },
  });
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  // Ctrl-C reaches both: vitest says how it ends, and this waits for it.
  process.on("SIGINT", () => undefined);
  const [code] = (await once(child, "exit")) as [number | null];
  const lines = (await readFile(path, "utf8").catch(() => "")).split("\n").filter(Boolean);
  return { code: code ?? 70, outcomes: lines.map((line) => JSON.parse(line) as FileOutcome) };
}
