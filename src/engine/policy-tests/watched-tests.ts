import { resolve } from "node:path";
import { readPolicyTestSources } from "#config/policy-sources.ts";
import { joinTestRuns } from "#engine/policy-tests/join-test-runs.ts";
import { runTestSources, type TestRun } from "#engine/policy-tests/run-test-sources.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";

/** What came of all tests once those were run again that a change touches. */
export interface WatchedReport {
  readonly report: PolicyTestReport;
  /** How many test files were run again, of how many, and the paths that made it so. */
  readonly again: number;
  readonly files: number;
  readonly because: readonly string[];
}

/** What a document may be in. Other files of a folder, as one that the report goes to, say nothing. */
const anyDocument = /\.ya?ml$/u;

/** A document of ours, which a folder that some test names may have gained. */
const ourDocument = /\.thermocline[^/\\]*\.ya?ml$/u;

/** Tests that are run again and again: each file by itself, when something changed that it rests on. */
export class WatchedTests {
  readonly #places: readonly string[];
  readonly #cwd: string;
  readonly #variables: Readonly<Record<string, string>>;
  /** By path, the last run of each test file. */
  #runs = new Map<string, TestRun>();

  constructor(
    places: readonly string[],
    cwd: string,
    variables: Readonly<Record<string, string>> = {},
  ) {
    this.#places = places;
    this.#cwd = cwd;
    this.#variables = variables;
  }

  /** Runs what the changed files touch, by their paths; all tests when none is named. */
  async run(changed?: ReadonlySet<string>): Promise<WatchedReport> {
    const sources = await readPolicyTestSources(this.#places, this.#cwd);
    const known = this.files;
    const unknown = [...(changed ?? [])].filter(
      (path) => !known.has(path) && anyDocument.test(path),
    );
    const isAll = changed === undefined || unknown.some((path) => ourDocument.test(path));
    const runs = new Map<string, TestRun>();
    let again = 0;
    for (const source of sources) {
      const path = resolve(this.#cwd, source.file);
      const before = this.#runs.get(path);
      if (before !== undefined && !isAll && !this.#isTouched(path, before, changed, unknown)) {
        runs.set(path, before);
        continue;
      }
      again += 1;
      runs.set(path, await runTestSources([source], this.#cwd, this.#variables));
    }
    this.#runs = runs;
    const report = joinTestRuns([...runs.values()], this.#variables);
    const because = [...(changed ?? [])].filter((path) => known.has(path));
    return { report, again, files: sources.length, because: [...because, ...unknown] };
  }

  /** Paths of the tests and of all that they rest on. */
  get files(): ReadonlySet<string> {
    const found = [...this.#runs].flatMap(([path, run]) => [path, ...this.#restsOn(run)]);
    return new Set(found);
  }

  /** Where something is wrong, a file that nobody knew may be the one that was missing. */
  #isTouched(
    path: string,
    run: TestRun,
    changed: ReadonlySet<string>,
    unknown: readonly string[],
  ): boolean {
    if (run.diagnostics.length > 0 && unknown.length > 0) return true;
    return [path, ...this.#restsOn(run)].some((file) => changed.has(file));
  }

  #restsOn({ files }: TestRun): readonly string[] {
    return files.map((file) => resolve(this.#cwd, file));
  }
}
