import { appendFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";
import type { FileOutcome } from "../scripts/test/outcome.ts";
import { counted, inWords } from "../scripts/test/outcome.ts";

/**
 * Ends a run with why suites were skipped and the plain counts: `N passed, N failed, N skipped`.
 * What became of each file goes to the file that THERMOCLINE_TEST_OUTCOMES names, a line for each.
 */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const thrown = errors.map(thrownIn);
    const outcomes = modules.map((module) => outcomeOf(module, thrown));
    const files = new Set(modules.map(({ moduleId }) => moduleId));
    for (const { file, text } of thrown) {
      // Nobody knows which file it is of: to run one again would say nothing about it.
      if (!files.has(file)) outcomes.push({ ...nothing, file: "", failed: 1, failures: [text] });
    }
    for (const { file, skips } of outcomes) {
      for (const [suite, tests] of Object.entries(skips)) {
        console.log(`skipped ${tests}: ${file} > ${suite}`);
      }
    }
    const path = process.env["THERMOCLINE_TEST_OUTCOMES"];
    if (path !== undefined) {
      appendFileSync(path, outcomes.map((outcome) => `${JSON.stringify(outcome)}\n`).join(""));
    }
    console.log(inWords(counted(outcomes)));
  }
}

const nothing = { passed: 0, failed: 0, skips: {}, failures: [] };

interface Thrown {
  readonly file: string;
  readonly text: string;
}

function outcomeOf(module: TestModule, thrown: readonly Thrown[]): FileOutcome {
  const skips: Record<string, number> = {};
  const failures: string[] = [];
  let passed = 0;
  for (const test of module.children.allTests()) {
    const { state, errors = [] } = test.result();
    if (state === "passed") passed += 1;
    else if (state === "failed") {
      failures.push(`${test.fullName}: ${errors[0]?.message ?? "no reason given"}`);
    } else {
      const suite = test.fullName.split(" > ")[0] ?? "";
      skips[suite] = (skips[suite] ?? 0) + 1;
    }
  }
  failures.push(...module.errors().map(({ message }) => message));
  failures.push(...thrown.filter(({ file }) => file === module.moduleId).map(({ text }) => text));
  // The hooks of a suite have no test of their own.
  if (module.state() === "failed" && failures.length === 0) failures.push("a hook failed");
  return { file: module.relativeModuleId, passed, failed: failures.length, skips, failures };
}

function thrownIn(error: unknown): Thrown {
  const { message, VITEST_TEST_PATH: file } = error as {
    readonly message?: string;
    readonly VITEST_TEST_PATH?: string;
  };
  return { file: file ?? "", text: message ?? String(error) };
}
