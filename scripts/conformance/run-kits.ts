import { fileURLToPath } from "node:url";
import { startVitest, type TestCase, type TestModule } from "vitest/node";
import type { KitNote } from "../../test/conformance/driver-kit/kit-note.ts";

/** How one test of the kit ended. */
export interface KitResult {
  readonly note: KitNote;
  readonly ended: "passed" | "failed" | "skipped";
  /** Why it failed, or was not run though nobody said that it should not. */
  readonly message: string | undefined;
  readonly tookMs: number;
}

/** Runs the driver kit in these test files, as `npm test` does; says on stderr which are done. */
export async function runKits(files: readonly string[]): Promise<readonly KitResult[]> {
  const results: KitResult[] = [];
  const reporter = {
    onTestModuleEnd: (module: TestModule) => {
      const ended = [...module.children.allTests()].flatMap((test) => resultOf(test, module));
      results.push(...ended);
      const failed = ended.filter((result) => result.ended === "failed").length;
      console.error(`${module.relativeModuleId}: ${ended.length} tests, ${failed} failed`);
    },
  };
  const vitest = await startVitest([...files], {
    root: fileURLToPath(new URL("../../", import.meta.url)),
    run: true,
    watch: false,
    // Files of drivers hold tests of their own beside the kit.
    testNamePattern: "^driver .* in an empty place ",
    reporters: [reporter],
    silent: true,
  });
  const errors = vitest.state.getUnhandledErrors();
  await vitest.close();
  // Vitest fails the process for failed tests: whether they count is for the report to say.
  process.exitCode = 0;
  if (errors.length > 0) throw new AggregateError(errors, "the tests could not be run");
  return results;
}

function resultOf(test: TestCase, module: TestModule): readonly KitResult[] {
  const { driverKit: note } = test.meta();
  if (note === undefined) return [];
  const { state, errors = [] } = test.result();
  const ended = state === "passed" || state === "failed" ? state : "skipped";
  // What a hook of the file met is told of the file, and its tests just do not run.
  const [first = module.errors()[0]] = errors;
  const tookMs = test.diagnostic()?.duration ?? 0;
  return [{ note, ended, message: ended === "passed" ? undefined : first?.message, tookMs }];
}
