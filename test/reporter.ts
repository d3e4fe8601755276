import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with why suites were skipped and the plain counts: `N passed, N failed, N skipped`. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    const skipped = new Map<string, number>();
    for (const module of modules) {
      if (module.state() === "failed" && module.errors().length > 0) counts.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") counts.passed += 1;
        else if (state === "failed") counts.failed += 1;
        else {
          counts.skipped += 1;
          const place = `${module.relativeModuleId} > ${test.fullName.split(" > ")[0] ?? ""}`;
          skipped.set(place, (skipped.get(place) ?? 0) + 1);
        }
      }
    }
    for (const [place, tests] of skipped) console.log(`skipped ${tests}: ${place}`);
    const { passed, failed } = counts;
    console.log(`${passed} passed, ${failed} failed, ${counts.skipped} skipped`);
  }
}
