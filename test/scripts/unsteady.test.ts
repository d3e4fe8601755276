import { execFile } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeEach, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const reporter = join(root, "test/reporter.ts");
const config = `export default { test: { globals: true, reporters: [${JSON.stringify(reporter)}] } };`;

describe("the tests of a machine that nobody watches", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "project-"));
    await writeFile(join(folder, "vitest.config.ts"), config);
    await writeFile(join(folder, "sound.test.ts"), `test("is sound", () => {});`);
  });

  test("name what failed once and then passed each time, and count it as passed", async () => {
    await failing("unsteady", "count === 1");
    const { code, lines } = await runTests();
    expect(lines.at(-1)).toBe("2 passed, 0 failed, 0 skipped");
    expect(lines.at(-2)).toBe(
      "unsteady (failed once, then passed 3 of 3): unsteady.test.ts > fails at times: run 1",
    );
    expect(code).toBe(0);
    expect(await runsOf("unsteady")).toBe(4);
  });

  test("fail where it fails once more, and try no further", async () => {
    await failing("unsteady", "count !== 2");
    const { code, lines } = await runTests();
    expect(lines.at(-1)).toBe("1 passed, 1 failed, 0 skipped");
    expect(lines.join("\n")).not.toContain("unsteady (");
    expect(code).toBe(1);
    expect(await runsOf("unsteady")).toBe(3);
  });

  test("fail where a hook fails each time", async () => {
    await failing("hook", "true", "beforeAll");
    const { code, lines } = await runTests();
    expect(lines.at(-1)).toBe("1 passed, 1 failed, 1 skipped");
    expect(code).toBe(1);
    expect(await runsOf("hook")).toBe(2);
  });

  test("name a file that an error was thrown in after its tests", async () => {
    const late = `test("ends before", async () => {
      if (count === 1) Promise.reject(new Error("nobody waited for this"));
      await new Promise((resolve) => setTimeout(resolve, 50));
    });`;
    await writeFile(join(folder, "late.test.ts"), `${counting("late")} ${late}`);
    const { code, lines } = await runTests();
    expect(lines.at(-1)).toBe("2 passed, 0 failed, 0 skipped");
    expect(lines.at(-2)).toContain("late.test.ts > nobody waited for this");
    expect(code).toBe(0);
  });

  test("fail at once where more files fail than can be chance", async () => {
    for (const name of ["one", "two", "three", "four"]) await failing(name, "count === 1");
    const { code, lines } = await runTests();
    expect(lines.at(-1)).toBe("1 passed, 4 failed, 0 skipped");
    expect(code).toBe(1);
    expect(await runsOf("one")).toBe(1);
  });

  test("fail at once where somebody watches", async () => {
    await failing("unsteady", "count === 1");
    const { code, lines } = await runTests({ CI: "" });
    expect(lines.at(-1)).toBe("1 passed, 1 failed, 0 skipped");
    expect(code).toBe(1);
    expect(await runsOf("unsteady")).toBe(1);
  });

  /** A file that counts its runs, and fails in those of which `when` is true. */
  async function failing(name: string, when: string, hook?: string): Promise<void> {
    const act = `() => { if (${when}) throw new Error(\`run \${count}\`); }`;
    const tests =
      hook === undefined
        ? `test("fails at times", ${act});`
        : `${hook}(${act}); test("is there", () => {});`;
    await writeFile(join(folder, `${name}.test.ts`), `${counting(name)} ${tests}`);
  }

  function counting(name: string): string {
    const path = JSON.stringify(join(folder, `${name}.runs`));
    return `
      import { appendFileSync, readFileSync } from "node:fs";
      appendFileSync(${path}, ".");
      const count = readFileSync(${path}, "utf8").length;`;
  }

  async function runsOf(name: string): Promise<number> {
    return (await readFile(join(folder, `${name}.runs`), "utf8")).length;
  }

  async function runTests(
    environment: Readonly<Record<string, string>> = { CI: "true" },
  ): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
    const script = join(root, "scripts/test.ts");
    const env = { ...process.env, NO_COLOR: "1", ...environment };
    const running = promisify(execFile)(process.execPath, [script, `--root=${folder}`], { env });
    const { stdout, code } = await running.then(
      (ended) => ({ ...ended, code: 0 }),
      (thrown: { readonly stdout: string; readonly code: number }) => thrown,
    );
    return { code, lines: stdout.trimEnd().split("\n") };
  }
});
