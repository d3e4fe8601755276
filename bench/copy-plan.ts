import { join } from "node:path";
import type { ObjectIndex } from "#index/object-index.ts";
import { freeOfCharge } from "#model/backend.ts";
import type { BackendFacts } from "#model/index-store.ts";
import { planColumns, type Plan } from "#model/plan.ts";

/** A plan that copies the first objects of an index from backend 0 to other ones. */
export interface CopyPlan {
  readonly cid: string;
  readonly actions: number;
  /** SQL over `object_id`: the id of the backend it goes to. */
  readonly target: string;
  readonly folder: string;
  readonly evaluatedAt: string;
}

/** Writes such a plan as the planner would. */
export async function copyPlan(index: ObjectIndex, plan: CopyPlan): Promise<Plan> {
  await using session = await index.session();
  const rowsPath = join(plan.folder, `${plan.cid}.parquet`);
  const columns = planColumns.map(([column]) => column).join(", ");
  const text = `SELECT ${columns} FROM (
    SELECT object_id AS sequence, 'replicate' AS verb, object_id, cid, size, profile, 0 AS source,
      (${plan.target})::INTEGER AS target, NULL::INTEGER AS victim,
      'bench/copy' AS rule, 'bench' AS reason, '[]' AS requirements
    FROM object WHERE object_id < ${plan.actions}) ORDER BY sequence`;
  await session.exportParquet({ text, parameters: [] }, rowsPath);
  const { actions } = plan;
  const totals = { actions, objects: actions, bytesMoved: 0, bytesFreed: 0, groups: [] };
  const header = {
    schemaVersion: 1,
    engine: "bench",
    policies: {},
    indexVersion: 0,
    inventory: "",
    rows: "",
    totals,
    guards: [],
    blocked: [],
  } as const;
  return { cid: plan.cid, evaluatedAt: plan.evaluatedAt, header, rowsPath };
}

/** A local backend as the index has to know it. */
export function localFacts(name: string): BackendFacts {
  return {
    name,
    driver: "local",
    tier: "hot",
    region: undefined,
    labels: {},
    capacityBytes: undefined,
    price: freeOfCharge,
    capabilities: {
      forms: ["file"],
      operations: ["read", "write", "remove"],
      confidence: ["verified"],
      ranges: "bytes",
      create: "atomic",
      bytesMax: undefined,
    },
  };
}
