import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { Workspace } from "../integration/workspace.ts";
import { coolDown, makeFiles, single } from "./takeover-run.ts";
import { twoMachines } from "./two-machines.ts";

const redis = queueServers.find(({ name }) => name === "Redis");
const spaces: Workspace[] = [];
let server: QueueServer | undefined;

afterEach(async () => {
  for (const space of spaces.splice(0).toReversed()) await space.dispose();
  await server?.stop();
  server = undefined;
});

describe("two controllers that start at the same moment", () => {
  test("on one data directory: one leads, the other waits", async () => {
    const space = await Workspace.create({ policies: { "cool-down": coolDown } });
    spaces.push(space);
    await makeFiles(space.path, 5);
    await space.ok("import", "dir", join(space.path, "source"), "--backend", "hot");
    expect(await startBoth([space, space])).toMatchObject({ leaders: 1, terms: 1 });
  }, 300_000);

  test.skipIf(redis?.missing !== undefined)(
    "on a data directory each: one leads, the other waits",
    async () => {
      server = await redis?.start();
      if (server === undefined) throw new Error("the server did not start");
      const pair = await twoMachines({ queueUrl: server.url, files: 5, every: "1s" });
      spaces.push(...pair);
      // The import was a term of its own: where indexes are apart, commands lead too.
      expect(await startBoth(pair)).toMatchObject({ leaders: 1, terms: 2 });
    },
    300_000,
  );
});

/** Starts a controller in each; who leads, by their words and by the index. */
async function startBoth(
  pair: readonly Workspace[],
): Promise<{ readonly leaders: number; readonly terms: number }> {
  const nodes = pair.map((space, at) => space.start("controller", "--node-name", `node-${at}`));
  const logs = new Set(pair.map(({ log }) => log));
  const words = async (): Promise<string> => {
    const texts = [...logs].map((log) => readFile(log, "utf8").catch(() => ""));
    return (await Promise.all(texts)).join("\n");
  };
  await expect.poll(words, { timeout: 60_000 }).toMatch(/runs as controller/);
  await expect.poll(words, { timeout: 60_000 }).toMatch(/is active/);
  const said = [...(await words()).matchAll(/node (node-\d) runs as controller/g)];
  const [leads, waits] = said[0]?.[1] === "node-0" ? [0, 1] : [1, 0];
  const leader = pair[leads];
  if (leader === undefined) throw new Error("nobody leads");
  const { status } = await leader.json<{ status: StatusPart }>("status");
  expect(status.leader).toMatchObject({
    node: `node-${leads}`,
    standbys: [{ node: `node-${waits}` }],
  });
  expect(nodes.map(({ exitCode }) => exitCode)).toEqual([null, null]);
  return { leaders: said.length, terms: await single(leader, countTerms) };
}

const countTerms = "SELECT count(*)::INTEGER AS n FROM controller_terms";

interface StatusPart {
  readonly leader: object;
}
