import { once } from "node:events";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { queueServers } from "../conformance/queue-servers.ts";
import { Workspace } from "../integration/workspace.ts";
import { coolDown, makeFiles } from "./takeover-run.ts";

describe.each(queueServers)("two installations on one server: $name", (kind) => {
  const why = kind.missing === undefined ? "" : ` (skipped: ${kind.missing})`;
  test.skipIf(kind.missing !== undefined)(
    `the second does not start on the queues of the first, and does with a prefix of its own${why}`,
    async () => {
      const server = await kind.start();
      onTestFinished(() => server.stop());
      const [first, second, copy] = [
        await workspace(server.url),
        await workspace(server.url),
        await workspace(server.url),
      ];
      await usePrefix(first, "shared");
      await usePrefix(second, "shared");
      await usePrefix(copy, "shared");
      const active = await first.startController();
      for (const command of ["controller", "apply --yes --override objects"]) {
        const { code, stderr } = await second.run(...command.split(" "));
        expect(stderr).toContain("the queues under queue.prefix shared belong to another");
        expect(stderr).toContain("give this installation a `queue.prefix` of its own");
        expect(code).toBe(6);
      }
      const { stdout } = await second.run("doctor");
      expect(stdout).toContain("FAILED  queue owner: the queues under queue.prefix shared belong");
      await usePrefix(second, "second");
      const other = second.start("up");
      await second.controllerAnswers(other);
      first.start("worker", "--node-name", "worker-1");
      const runs = [first, second].map((space) =>
        space.ok("apply", "--yes", "--override", "objects"),
      );
      await Promise.all(runs);
      for (const space of [first, second]) expect((await space.audit()).problems).toBe("");

      // A copy of its index is the same installation, wherever it lies.
      const ended = once(active, "exit");
      active.kill("SIGTERM");
      await ended;
      const index = join(".thermocline", "index.duckdb");
      await cp(join(first.path, index), join(copy.path, index));
      await copy.startController();
    },
    180_000,
  );
});

async function workspace(queueUrl: string): Promise<Workspace> {
  const space = await Workspace.create({ policies: { "cool-down": coolDown }, queueUrl });
  onTestFinished(() => space.dispose());
  await makeFiles(space.path, 5);
  await space.ok("import", "dir", join(space.path, "source"), "--backend", "hot");
  return space;
}

async function usePrefix(space: Workspace, prefix: string): Promise<void> {
  const file = join(space.path, "thermocline.yaml");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace(/prefix: [a-z0-9-]+/, `prefix: ${prefix}`));
}
