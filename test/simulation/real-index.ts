import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ObjectIndex } from "#index/object-index.ts";
import type { BackendFacts } from "#model/index-store.ts";
import { type Plan, planColumns } from "#model/plan.ts";
import type { SqlRow, SqlValue } from "#model/sql.ts";
import { planSimulated } from "./planner.ts";
import { contents } from "./samples.ts";
import type { IndexFacts, Marked, SimulatedIndex, WantedAction } from "./simulated-index.ts";

/** The real index, in memory. */
export async function openRealIndex(backends: readonly BackendFacts[]): Promise<SimulatedIndex> {
  const index = await ObjectIndex.open(":memory:", { threads: 1, memoryLimit: "256MiB" });
  await index.syncBackends(backends);
  const folder = await mkdtemp(join(tmpdir(), "thermocline-simulation-"));
  let plans = 0;
  let reads = 0;
  const more = {
    begin: async (actions: readonly WantedAction[], now: Date) => {
      plans += 1;
      return index.beginRun(await planOf(index, join(folder, `${plans}.parquet`), actions), now);
    },
    plan: async (minimumCopies: number, now: Date) => {
      plans += 1;
      return planSimulated(index, minimumCopies, folder, plans, now);
    },
    beginPlan: async (plan: Plan, now: Date) => index.beginRun(plan, now),
    facts: async () => factsOf(index),
    marked: async () => markedOf(index),
    read: async (object: number, at: Date) => {
      const access = { object: contents[object]?.object.cid ?? "", at, weight: 1 };
      await index.recordAccesses(`read ${(reads += 1)}`, [access]);
    },
    close: async () => {
      await index.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return new Proxy(index, {
    get: (target, name) => {
      if (name in more) return more[name as keyof typeof more];
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  }) as unknown as SimulatedIndex;
}

async function planOf(
  index: ObjectIndex,
  rowsPath: string,
  actions: readonly WantedAction[],
): Promise<Plan> {
  await using session = await index.session();
  await session.run({
    text: `CREATE TEMP TABLE wanted (sequence BIGINT, verb VARCHAR, object_id BIGINT,
      source INTEGER, target INTEGER, victim INTEGER, requirements VARCHAR)`,
    parameters: [],
  });
  for (const [sequence, action] of actions.entries()) {
    const { verb, object, source, target, victim, requirements } = action;
    const parameters: SqlValue[] = [sequence, verb, object, source, target, victim];
    await session.run({
      text: "INSERT INTO wanted VALUES ($1, $2, $3, $4, $5, $6, $7)",
      parameters: [...parameters, JSON.stringify(requirements)],
    });
  }
  const names = planColumns.map(([name]) => name).join(", ");
  const text = `SELECT ${names} FROM (
      SELECT w.*, o.cid, o.size, o.profile, 'simulation/rule' AS rule, 'by chance' AS reason
      FROM wanted AS w JOIN object AS o USING (object_id)) ORDER BY sequence`;
  await session.exportParquet({ text, parameters: [] }, rowsPath);
  return { ...planHead(actions, await index.version()), rowsPath };
}

/** The head of a plan that nobody evaluated: its CID depends on the actions and the version. */
export function planHead(actions: readonly WantedAction[], indexVersion: number): Plan {
  const identity = JSON.stringify([indexVersion, actions]);
  const cid = `plan${createHash("sha256").update(identity).digest("hex").slice(0, 16)}`;
  const figures = { objects: actions.length, bytesMoved: 0, bytesFreed: 0, groups: [] };
  const totals = { actions: actions.length, ...figures };
  const header = { engine: "simulation", policies: {}, indexVersion, inventory: "", rows: "" };
  return {
    cid,
    evaluatedAt: new Date().toISOString(),
    rowsPath: "",
    header: { schemaVersion: 1, ...header, totals, guards: [], blocked: [] },
  };
}

async function markedOf(index: ObjectIndex): Promise<readonly Marked[]> {
  await using session = await index.session();
  const rows = await session.rows({
    text: `SELECT o.object_id AS object, o.tombstoned AS since, o.held, o.present_mask AS mask
      FROM object AS o ORDER BY object_id`,
    parameters: [],
  });
  return rows.map(({ object, since, held, mask }) => ({
    object: Number(object),
    since: since instanceof Date ? since.getTime() : undefined,
    held: held === true,
    copies: [0, 1, 2, 3].filter((id) => ((Number(mask) >> id) & 1) === 1),
  }));
}

async function factsOf(index: ObjectIndex): Promise<IndexFacts> {
  await using session = await index.session();
  const rows = async <Row>(text: string) =>
    (await session.rows({ text, parameters: [] })) as readonly (SqlRow & Row)[];
  const permitEntries = (kind: string) =>
    rows<{ entry: number; permit: string }>(
      `SELECT entry_id AS entry, detail ->> 'permit' AS permit FROM ledger
       WHERE kind = '${kind}' ORDER BY entry_id`,
    );
  const different = await index.checkSummaries();
  return {
    copies: await rows(
      `SELECT object_id AS object, backend, state, confidence FROM copy
       ORDER BY object_id, backend_id`,
    ),
    outcomes: await rows(
      `SELECT run_id AS run, sequence, outcome, reason FROM ledger
       WHERE kind = 'outcome' ORDER BY run_id, sequence`,
    ),
    permits: await permitEntries("permit"),
    proofs: await permitEntries("proof"),
    disagreements: different.map(
      ({ what, id, stored, recomputed }) =>
        `${what} of ${id} is ${String(stored)}, should be ${String(recomputed)}`,
    ),
  };
}
