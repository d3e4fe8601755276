import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeBlocks } from "./code-blocks.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const outputs: string[] = [];
let folder = "";

/** Types the page: writes its files, runs its commands, each block in the page's folder. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-docs-"));
  await mkdir(join(folder, "bin"));
  const entry = join(root, "src/cli/thermocline.ts");
  const shim = `#!/bin/sh\nexec "${process.execPath}" "${entry}" "$@"\n`;
  await writeFile(join(folder, "bin/thermocline"), shim);
  await chmod(join(folder, "bin/thermocline"), 0o755);
  const page = await readFile(join(root, "docs/getting-started.md"), "utf8");
  for (const { language, file, text } of codeBlocks(page)) {
    if (file !== undefined) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    } else if (language === "sh") {
      outputs.push(await type(text));
    }
  }
}, 240_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test("each command of the page succeeds, and says what the page says", () => {
  const all = outputs.join("\n");
  expect(all).toContain("8 new objects");
  expect(all).toMatch(/4 reads counted/);
  expect(all).toContain("refused by guard objects: 8 of 8 objects");
  expect(all).toContain("6: 6 done, 0 skipped, 0 failed");
  expect(all).toContain("nothing to do: every object is where the policies want it");
  expect(outputs.at(-1)).toContain("8 verified, 0 absent, 0 corrupt");
});

test("afterwards what was read is still on the fast disk and the rest on the slow one", async () => {
  const listed = JSON.parse(await type("thermocline objects ls -q -o json")) as {
    objects: { path: string; backends: string[] }[];
  };
  const places = Object.fromEntries(listed.objects.map(({ path, backends }) => [path, backends]));
  expect(places).toEqual({
    "/photos/2024/1.txt": ["slow"],
    "/photos/2024/2.txt": ["slow"],
    "/photos/2024/3.txt": ["slow"],
    "/photos/2024/4.txt": ["slow"],
    "/photos/2024/5.txt": ["slow"],
    "/photos/2026/1.txt": ["fast"],
    "/photos/2026/2.txt": ["fast"],
    "/photos/2026/3.txt": ["slow"],
  });
});

test("afterwards there is nothing left to do", async () => {
  const plan = JSON.parse(await type("thermocline plan -q -o json")) as {
    plan: { header: { totals: { actions: number } } };
  };
  expect(plan.plan.header.totals.actions).toBe(0);
});

async function type(script: string): Promise<string> {
  const started = await run("sh", ["-euc", script], {
    cwd: outputs.length === 0 ? folder : join(folder, "lake"),
    env: {
      ...process.env,
      CI: "1",
      NO_COLOR: "1",
      PATH: [join(folder, "bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter),
    },
  });
  return started.stdout + started.stderr;
}
