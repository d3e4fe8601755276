import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Workspace } from "./workspace.ts";

let workspace: Workspace;

beforeEach(async () => {
  workspace = await Workspace.create({ policies: { durable: policy } });
  await mkdir(join(workspace.path, "shared"));
});

afterEach(() => workspace.dispose());

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: durable}
include: [../shared/classes.thermocline.yaml]
rules:
  - {name: two-copies, where: class precious, ensure: {copies: 2}}
`;

async function writeClass(condition: string): Promise<void> {
  const text = `apiVersion: thermocline/v1
kind: Definitions
classes:
  precious: ${condition}
`;
  await writeFile(join(workspace.path, "shared", "classes.thermocline.yaml"), text);
}

test("validate names the place in the included file, and the one that includes nothing", async () => {
  const missing = await workspace.run("validate");
  expect(missing.code).toBe(1);
  expect(missing.stdout).toContain(
    'policies/durable.thermocline.yaml:4:11: error: there is no file "../shared/classes.thermocline.yaml" [E0172]',
  );
  await writeClass("size >= 3d");
  const wrong = await workspace.run("validate");
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toContain("shared/classes.thermocline.yaml:4:21: error: ");
  expect(wrong.stdout).toContain("4 |   precious: size >= 3d\n  |                     ^^");
  await writeClass("size >= 1KiB");
  expect(await workspace.ok("validate")).toBe("1 policy, 1 rule: no problems\n");
});

test("a saved plan is refused once the included class that it rests on selects something else", async () => {
  await writeClass("true");
  const source = join(workspace.path, "source");
  await mkdir(source);
  await writeFile(join(source, "a.txt"), "content");
  await workspace.ok("import", "dir", source, "--backend", "hot");
  await workspace.ok("plan", "--out", "saved");
  await writeClass("size >= 1MiB");
  const apply = ["apply", "--plan", "saved.plan.json", "--yes", "--override", "objects"] as const;
  const stale = await workspace.run(...apply);
  expect([stale.code, stale.stderr]).toEqual([6, expect.stringContaining("no longer what would")]);
  await writeClass("true");
  await workspace.ok(...apply);
});
