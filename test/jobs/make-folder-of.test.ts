import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolderOf } from "#jobs/make-folder-of.ts";

test("the folder of a file is made, and one that cannot be is named with what to do", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-folder-"));
  try {
    await makeFolderOf(join(folder, "a", "b", "plan.json"));
    expect((await stat(join(folder, "a", "b"))).isDirectory()).toBe(true);
    await writeFile(join(folder, "file"), "");
    const below = join(folder, "file", "plan.json");
    await expect(makeFolderOf(below, "say another")).rejects.toMatchObject({
      code: "UNREADABLE",
      message: `${below} cannot be written: not into ${join(folder, "file")} (EEXIST)`,
      hint: "say another",
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
