import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
  await mkdir(join(line.cwd, "policies"));
  await writeFile(join(line.cwd, "thermocline.yaml"), "policies: [policies]\napiVersion: x\n");
  await writeFile(join(line.cwd, "policies", "a.thermocline.yaml"), disordered);
  await writeFile(join(line.cwd, "policies", "b.thermocline.yaml"), ordered);
});
afterEach(() => line[Symbol.asyncDispose]());

const ordered = "apiVersion: thermocline/v1\nkind: Policy # of ours\n";
const disordered = "kind: Policy # of ours\napiVersion: thermocline/v1\n";

/** In order, the alias would come before its anchor. */
const aliased = "kind: &kind Policy\napiVersion: *kind\n";

async function read(name: string): Promise<string> {
  return await readFile(join(line.cwd, name), "utf8");
}

it("only names what is not in order with --check, and exits with 1", async () => {
  const { code, stdout } = await line.run(["fmt", "--check"]);
  expect([code, stdout]).toEqual([
    1,
    "thermocline.yaml\npolicies/a.thermocline.yaml\n3 files, 2 not in order\n",
  ]);
  expect(await read("policies/a.thermocline.yaml")).toBe(disordered);
});

it("puts files in order once; then nothing is left to do", async () => {
  expect((await line.run(["fmt"])).stdout).toContain("3 files, 2 put in order\n");
  expect(await read("policies/a.thermocline.yaml")).toBe(ordered);
  expect(await read("thermocline.yaml")).toBe("apiVersion: x\npolicies: [policies]\n");
  expect(await line.run(["fmt", "--check"])).toMatchObject({ code: 0 });
});

it("leaves what is not sound as it is, says so and exits with 1", async () => {
  await writeFile(join(line.cwd, "policies", "a.thermocline.yaml"), "kind: [\n");
  const { code, stderr } = await line.run(["fmt", "policies"]);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^policies\/a\.thermocline\.yaml:2:1: .+; it is left as it is\n$/),
  ]);
  await writeFile(join(line.cwd, "policies", "a.thermocline.yaml"), aliased);
  expect((await line.run(["fmt", "policies"])).stderr).toBe(
    "policies/a.thermocline.yaml needs its order, as an alias and its anchor do; it is left as it is\n",
  );
  expect(await read("policies/a.thermocline.yaml")).toBe(aliased);
});

it("sorts definitions and what includes them each in its file, and leaves the entries alone", async () => {
  const entries = "include: [z.thermocline.yaml, a.thermocline.yaml] # in this order\n";
  const before = `classes: {b: "true", a: "true"}\n${entries}kind: Definitions\napiVersion: x\n`;
  await writeFile(join(line.cwd, "policies", "c.thermocline.yaml"), before);
  const { code, stdout } = await line.run(["fmt", "policies/c.thermocline.yaml"]);
  expect([code, stdout]).toEqual([0, "policies/c.thermocline.yaml\n1 file, 1 put in order\n"]);
  expect(await read("policies/c.thermocline.yaml")).toBe(
    `apiVersion: x\nkind: Definitions\n${entries}classes: {b: "true", a: "true"}\n`,
  );
  expect(await read("policies/a.thermocline.yaml")).toBe(disordered);
});
