import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ObjectIndex } from "#index/object-index.ts";
import { type CopyRequirement, type Plan, planColumns, type Verb } from "#model/plan.ts";
import type { Batch, StepData } from "#model/run.ts";
import { start } from "./open-index.ts";

/** An action of a test's plan; backends by id. */
export interface TestAction {
  readonly verb: Verb;
  readonly object: number;
  readonly source?: number;
  readonly target?: number;
  readonly victim?: number;
  readonly requirements?: readonly CopyRequirement[];
}

let plans = 0;

/** A plan with the given actions, in their order, its rows written as the planner writes them. */
export async function makePlan(
  index: ObjectIndex,
  folder: string,
  actions: readonly TestAction[],
): Promise<Plan> {
  plans += 1;
  const rowsPath = join(folder, `plan-${plans}.parquet`);
  await using session = await index.session();
  const columns =
    "sequence BIGINT, verb VARCHAR, object_id BIGINT, source INTEGER, " +
    "target INTEGER, victim INTEGER, requirements VARCHAR";
  await session.run({ text: `CREATE TEMP TABLE wanted (${columns})`, parameters: [] });
  for (let from = 0; from < actions.length; from += 500) {
    const part = actions.slice(from, from + 500);
    const values = part.map((_, row) => {
      const first = row * 7 + 1;
      return `(${Array.from({ length: 7 }, (__, column) => `$${first + column}`).join(", ")})`;
    });
    await session.run({
      text: `INSERT INTO wanted VALUES ${values.join(", ")}`,
      parameters: part.flatMap((action, row) => [
        from + row,
        action.verb,
        action.object,
        action.source ?? null,
        action.target ?? null,
        action.victim ?? null,
        JSON.stringify(action.requirements ?? []),
      ]),
    });
  }
  const names = planColumns.map(([name]) => name).join(", ");
  await session.exportParquet(
    {
      text: `SELECT ${names} FROM (
               SELECT w.*, o.cid, o.size, o.profile, 'test/rule' AS rule, 'because' AS reason
               FROM wanted AS w JOIN object AS o USING (object_id)) ORDER BY sequence`,
      parameters: [],
    },
    rowsPath,
  );
  const cid = `plan${createHash("sha256").update(`${plans}`).digest("hex").slice(0, 16)}`;
  return {
    cid,
    evaluatedAt: start.toISOString(),
    rowsPath,
    header: {
      schemaVersion: 1,
      engine: "test",
      policies: {},
      indexVersion: await index.version(),
      inventory: "",
      rows: "",
      totals: {
        actions: actions.length,
        objects: actions.length,
        bytesMoved: 0,
        bytesFreed: 0,
        groups: [],
      },
      guards: [],
      blocked: [],
    },
  };
}

/** The step of a batch, as its jobs carry it. */
export function stepOf(batch: Batch): StepData {
  const { number, state: _state, actions: _actions, bytes: _bytes, ...names } = batch;
  return { ...names, batch: number, segmentCid: "" };
}
