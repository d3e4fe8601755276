import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LocalTails } from "#engine/ledger/local-tails.ts";

test("tails that cannot be seen are an error; only those that are not there are none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-tails-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const tails = new LocalTails(folder);
  expect(await tails.list("missing")).toEqual([]);
  await writeFile(join(folder, "file"), "");
  const unreadable = (name: string) => ({
    code: "UNREADABLE",
    message: expect.stringContaining(join(folder, name)) as string,
  });
  await expect(tails.list("file")).rejects.toMatchObject(unreadable("file"));
  const added = await tails.add(
    "ours",
    {
      first: 0,
      last: 1,
      before: "0".repeat(16),
      after: "1".repeat(16),
      writtenAt: "2026-01-01T00:00:00.000Z",
    },
    (path) => writeFile(path, "entries"),
  );
  expect(await tails.list("ours")).toEqual([added]);
  const path = tails.path("ours", added);
  await rm(path);
  await symlink(path, path);
  await expect(tails.list("ours")).rejects.toMatchObject(unreadable("ours"));
});
