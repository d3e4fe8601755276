import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { CommandContext } from "#cli/command.ts";
import { watchTests } from "#cli/watch-tests.ts";
import type { PolicyTestReport } from "#model/policy-test-report.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
  for (const folder of ["tests", "shared"]) await mkdir(join(line.cwd, folder));
  await write("shared/words.thermocline.yaml", words("30d"));
  await write("cool.thermocline.yaml", policy("cool", "include: [shared/words.thermocline.yaml]"));
  await write("other.thermocline.yaml", policy("other", "classes: {old: idle > 1y}"));
  await write("tests/cool.thermocline-test.yaml", tests("cool"));
  await write("tests/other.thermocline-test.yaml", tests("other"));
});
afterEach(() => line[Symbol.asyncDispose]());

async function write(file: string, text: string): Promise<void> {
  // As editors do: the file is never half written.
  await writeFile(join(line.cwd, `${file}.new`), text);
  await rename(join(line.cwd, `${file}.new`), join(line.cwd, file));
}

const words = (idle: string) => `apiVersion: thermocline/v1
kind: Definitions
metadata: {description: words}
classes: {old: idle > ${idle}}
`;

const policy = (name: string, more: string) => `apiVersion: thermocline/v1
kind: Policy
metadata: {name: ${name}}
${more}
rules:
  - {name: cool, where: class old, demote: {from: tier = hot, to: tier = cold}}
`;

const tests = (name: string) => `apiVersion: thermocline/v1
kind: PolicyTest
metadata: {name: ${name}}
policies: [../${name}.thermocline.yaml]
backends: [{name: hot, tier: hot}, {name: cold, tier: cold}]
objects: [{name: film, idle: 45d, copies: [hot]}]
tests:
  - {name: moves, expect: ${name === "cool" ? "[{object: film, action: demote}]" : "nothing"}}
`;

/** A watch under way: what was shown, what was said of it, and how it ends. */
function watching(places: readonly string[] = ["."]) {
  const stop = new AbortController();
  const shown: string[] = [];
  const said: string[] = [];
  const io = {
    cwd: line.cwd,
    signal: stop.signal,
    stderr: { write: (text: string) => said.push(text) },
  };
  const context = { io, note: (text: string) => said.push(text) } as unknown as CommandContext;
  const show = async ({ cases, diagnostics }: PolicyTestReport): Promise<number> => {
    const failed = cases.filter(({ failures }) => failures.length > 0).map(({ suite }) => suite);
    shown.push(`${cases.length} run, ${diagnostics.length} wrong, failed: ${failed.join(" ")}`);
    return await Promise.resolve(failed.length + diagnostics.length > 0 ? 1 : 0);
  };
  const ended = watchTests(context, places, undefined, show);
  const news = async (count: number) => {
    await expect.poll(() => shown.length, { timeout: 120_000 }).toBe(count);
    return [said.at(-1), shown.at(-1)];
  };
  return { stop, ended, shown, said, news };
}

it("runs again what a change touches, an included file for its users, and tells of all tests", async () => {
  const { stop, ended, shown, said, news } = watching();
  expect(await news(1)).toEqual(["2 test files; Ctrl-C ends it", "2 run, 0 wrong, failed: "]);
  await write("shared/words.thermocline.yaml", words("60d"));
  expect(await news(2)).toEqual([
    "shared/words.thermocline.yaml changed: 1 of 2 test files again",
    "2 run, 0 wrong, failed: cool",
  ]);
  await write("tests/other.thermocline-test.yaml", `${tests("other")}# looked at\n`);
  expect(await news(3)).toEqual([
    "tests/other.thermocline-test.yaml changed: 1 of 2 test files again",
    "2 run, 0 wrong, failed: cool",
  ]);
  // Neither what the report itself may go to, nor anything else that is no document.
  await writeFile(join(line.cwd, "report.txt"), "…");
  await rm(join(line.cwd, "shared/words.thermocline.yaml"));
  const [, gone] = await news(4);
  expect(gone).toBe("1 run, 2 wrong, failed: ");
  await write("shared/words.thermocline.yaml", words("30d"));
  expect((await news(5))[1]).toBe("2 run, 0 wrong, failed: ");
  await mkdir(join(line.cwd, "more"));
  await write("more/third.thermocline-test.yaml", tests("other"));
  expect((await news(6))[1]).toBe("3 run, 0 wrong, failed: ");
  expect(said.filter((text) => text.includes("report.txt"))).toEqual([]);
  stop.abort();
  expect(await ended).toBe(0);
  expect(shown).toHaveLength(6);
});

it("ends with the code of what was shown last, and goes on when the tests are gone for a moment", async () => {
  const { stop, ended, said, news } = watching(["tests"]);
  await news(1);
  await rename(join(line.cwd, "tests"), join(line.cwd, "away"));
  await expect
    .poll(() => said.some((text) => text.includes("no such file or directory")), {
      timeout: 15_000,
    })
    .toBe(true);
  await rename(join(line.cwd, "away"), join(line.cwd, "tests"));
  await write("cool.thermocline.yaml", policy("cool", "classes: {old: idle > 2y}"));
  await expect.poll(() => said.length, { timeout: 120_000 }).toBeGreaterThan(2);
  const [, shown] = await news(2);
  expect(shown).toBe("2 run, 0 wrong, failed: cool");
  stop.abort();
  expect(await ended).toBe(1);
});
