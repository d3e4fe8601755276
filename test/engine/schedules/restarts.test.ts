import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "#engine.ts";
import { type QueueServer, queueServers } from "../../conformance/queue-servers.ts";
import { until } from "../../conformance/test-engine.ts";
import { runEngine } from "../running-engine.ts";

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: keep-two}
schedule: {every: 1s}
rules:
  - {name: two, where: true, ensure: {copies: 2, on: tier <= warm}}
`;

/** The occurrences that the ledger tells of, in its order. */
async function occurrences(engine: Engine): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  const text = `SELECT detail->>'occurrence' AS occurrence FROM ledger
    WHERE kind = 'schedule' AND reason <> 'missed' ORDER BY entry_id`;
  for await (const { rows } of engine.query(text)) {
    found.push(...rows.map((row) => Object.values(row)[0]));
  }
  return found;
}

const servers = queueServers.filter(({ missing }) => missing === undefined);
describe.each(servers)("schedules on $name", (kind) => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await kind.start();
  });
  afterAll(async () => {
    await server.stop();
  });

  test("fire each occurrence once, across a restart of the controller", async () => {
    await using running = await runEngine({ queueUrl: server.url, policy });
    await running.importFiles(1);
    await running.engine.start();
    await until(async () => (await occurrences(running.engine)).length >= 2);
    await running.engine.close();
    const engine = await running.reopen();
    try {
      const before = await occurrences(engine);
      await engine.start();
      await until(async () => (await occurrences(engine)).length >= before.length + 2);
      const all = await occurrences(engine);
      expect(all.slice(0, before.length)).toEqual(before);
      expect(new Set(all).size).toBe(all.length);
      const [run, ...more] = await engine.runs();
      expect(run?.origin).toBe("schedule keep-two");
      expect(more).toEqual([]);
    } finally {
      await engine.close();
    }
  });
});
