import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { actAs } from "#model/acting.ts";
import type { AuditEntry, AuditRequest } from "#model/audit.ts";
import { ledgerAttributes } from "#policies/ledger-attributes.ts";
import { serveEngine } from "../api/served-engine.ts";
import { redisMissing, startRedis } from "../services/redis.ts";
import { type RunningEngine, runEngine } from "./running-engine.ts";

const why = redisMissing();
const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: archive}
rules:
  - name: to-cold
    where: size > 0
    demote: {from: tier = hot, to: tier = cold}
`;
const ada = { actor: "ada@box", reason: "case 7" };

describe.skipIf(why !== undefined)(
  `the ledger of an engine${why ? ` (skipped: ${why})` : ""}`,
  () => {
    let redis: Awaited<ReturnType<typeof startRedis>>;
    let running: RunningEngine;

    beforeAll(async () => {
      redis = await startRedis();
      running = await runEngine({ queueUrl: redis.url, policy });
      await running.importFiles(5);
      const { engine } = running;
      await actAs(ada, () => engine.setHold("/source/0.txt", true, "legal"));
      // Whoever has a run started is not the one who does what the run does.
      await actAs(ada, () => running.applyToEnd());
      await using served = await serveEngine(engine);
      const grace = { actor: "grâce@ops", reason: "disk swap\nat night" };
      await actAs(grace, () => served.client.setCordon("warm", true));
      await served.client.setCordon("warm", false);
    });

    afterAll(async () => {
      await running[Symbol.asyncDispose]();
      await redis.stop();
    });

    const ask = async (request: AuditRequest): Promise<readonly AuditEntry[]> =>
      (await Array.fromAsync(running.engine.audit(request))).flat();

    test("says who had what done, and why; what the engine does carries no name", async () => {
      const named = await ask({ where: "not missing(actor)" });
      expect(named).toMatchObject([
        { kind: "hold", reason: "legal", actor: "ada@box", note: "legal", path: "/source/0.txt" },
        {
          kind: "run",
          reason: "started",
          actor: "ada@box",
          note: "case 7",
          detail: { override: ["objects"] },
        },
        {
          kind: "cordon",
          reason: "cordoned",
          backend: "warm",
          actor: "grâce@ops",
          note: "disk swap\nat night",
        },
        { kind: "cordon", reason: "uncordoned", backend: "warm", actor: "api" },
      ]);
      const done = await ask({ where: 'outcome = "done" and kind = "outcome"' });
      expect(done).toHaveLength(4);
      expect(done.every(({ actor }) => actor === undefined)).toBe(true);
    });

    test("is asked in the language of policies, by policy, verb, backend and path", async () => {
      const where = 'kind = "proof" and policy = "archive" and verb = "demote" and backend = "hot"';
      expect(await ask({ where })).toHaveLength(4);
      expect(await ask({ where: `${where} and path like "/source/[12].txt"` })).toHaveLength(2);
      await expect(ask({ where: "size > 3" })).rejects.toMatchObject({ code: "USAGE" });
      await expect(ask({ where: 'recorded = "yesterday"' })).rejects.toMatchObject({
        code: "USAGE",
      });
    });

    test.each([...ledgerAttributes.values()])("takes the example of $name", async ({ example }) => {
      expect(Array.isArray(await ask({ where: example }))).toBe(true);
    });

    test("gives the newest entries of a run or an object, the newest last", async () => {
      const all = await ask({});
      expect(all.map(({ entry }) => entry)).toEqual(all.map((_, at) => at));
      expect(await ask({ limit: 3 })).toEqual(all.slice(-3));
      expect(await ask({ until: all[0]?.recorded ?? "" })).toEqual([]);
      const about = await ask({ object: "/source/1.txt" });
      expect(about.map(({ kind }) => kind)).toEqual(["permit", "proof", "outcome"]);
      const [run] = await running.engine.runs();
      const ofRun = await ask({ run: run?.id ?? "" });
      expect(ofRun.map(({ kind }) => kind)).not.toContain("hold");
      expect(ofRun.at(-1)).toMatchObject({ kind: "run", reason: "ended" });
    });

    test.each(["parquet", "csv", "ndjson"])("goes whole into a .%s file", async (format) => {
      const file = join(running.folder, "exports", `all.${format}`);
      const all = await ask({});
      const written = await running.engine.exportAudit({ file });
      expect(written).toMatchObject({ file, rows: all.length });
      const reader = { parquet: "read_parquet", csv: "read_csv", ndjson: "read_ndjson" }[format];
      const instance = await DuckDBInstance.create(":memory:");
      const connection = await instance.connect();
      const result = await connection.runAndReadAll(
        `SELECT entry::INTEGER, kind, actor, cid FROM ${reader}('${file}') ORDER BY entry`,
      );
      const rows = result.getRows();
      expect(rows.map(([entry]) => entry)).toEqual(all.map(({ entry }) => entry));
      expect(rows.map(([, kind]) => kind)).toEqual(all.map(({ kind }) => kind));
      expect(rows.filter(([, , , cid]) => String(cid).startsWith("f0155"))).toHaveLength(
        all.filter(({ cid }) => cid !== undefined).length,
      );
      connection.closeSync();
      instance.closeSync();
    });

    test("an export to another kind of file is refused, and leaves nothing", async () => {
      const file = join(running.folder, "all.xlsx");
      await expect(running.engine.exportAudit({ file })).rejects.toMatchObject({ code: "USAGE" });
      await expect(readFile(file)).rejects.toThrow("ENOENT");
    });

    test("nothing in it contradicts anything", async () => {
      expect((await running.engine.checkAudit()).findings).toEqual([]);
    });
  },
);
