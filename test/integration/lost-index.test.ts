import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { allOnCold } from "./all-on-cold.ts";
import { Workspace } from "./workspace.ts";

const server = sharedQueueServer();
let workspace: Workspace;

beforeEach(async () => {
  workspace = await Workspace.create({ policies: { all: allOnCold }, queueUrl: server.url });
});
afterEach(() => workspace.dispose());

test("no command makes an empty index where one was lost, until its snapshot is back", async () => {
  const source = await workspace.writeFiles(3, 2_000);
  await workspace.ok("import", "dir", source, "--backend", "hot");
  await workspace.ok("index", "snapshot");
  const data = join(workspace.path, ".thermocline");
  await rm(join(data, "index.duckdb"));
  await rm(join(data, "index.duckdb.wal"), { force: true });

  for (const command of [["objects", "ls"], ["plan"], ["controller"]]) {
    const refused = await workspace.run(...command);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain("index.duckdb is gone; its newest snapshot is of 20");
    expect(refused.stderr).toContain("thermocline index snapshot restore newest");
  }

  await workspace.ok("index", "snapshot", "restore", "newest");
  const { objects } = await workspace.json<{ objects: readonly object[] }>("objects", "ls");
  expect(objects).toHaveLength(3);
}, 120_000);
