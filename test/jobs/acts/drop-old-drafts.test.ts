import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dropOldDrafts } from "#jobs/acts/drop-old-drafts.ts";

test("drafts of a CAR that nobody touched for a day go, and nothing else does", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-drafts-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const gone = ["a.car.one.part", "a.car.one.part.blocks", "a.car.host-7-run-0.part"];
  const others = ["a.car", "a.car.note", "ab.car.one.part", "b.car.one.part"];
  const old = new Date(Date.now() - 25 * 3_600_000);
  for (const name of [...gone, ...others]) {
    await writeFile(join(folder, name), "");
    await utimes(join(folder, name), old, old);
  }
  await writeFile(join(folder, "a.car.two.part"), "");
  await dropOldDrafts(join(folder, "a.car"));
  expect((await readdir(folder)).toSorted()).toEqual([...others, "a.car.two.part"].toSorted());
});

test("a folder that cannot be listed is for the writing of the file to report", async () => {
  await expect(dropOldDrafts("/there/is/none/a.car")).resolves.toBeUndefined();
});
