import { expect } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Confidence, Evidence } from "#model/copy.ts";
import type { CommitContext } from "#model/index-store.ts";
import type { PolicyWords } from "#model/policy-word.ts";
import type { Batch, CopyOutcome, RemoveOutcome } from "#model/run.ts";
import { cidOf, start } from "./open-index.ts";

export const hour = 3_600_000;

export function context(more: Partial<CommitContext> = {}): CommitContext {
  return { now: start, permitTtlMs: hour, minimumCopies: 1, askPolicies: saysNothing, ...more };
}

async function saysNothing(): Promise<PolicyWords> {
  return new Map();
}

export function evidenceOf(
  number: number,
  backend: string,
  finding: Evidence["finding"] = "present",
  confidence: Confidence = "verified",
): Evidence {
  const checkedAt = start.toISOString();
  const method = "test";
  return { backend, cid: cidOf(number), finding, confidence, method, checkedAt, bytesRead: 1 };
}

export function copied(
  sequence: number,
  number: number,
  backend: string,
  evidence: Evidence = evidenceOf(number, backend),
): CopyOutcome {
  const copy = { locator: `at ${backend}`, form: "file", bytes: 100 } as const;
  return { sequence, outcome: "done", copy, evidence, moved: true };
}

export function gone(
  sequence: number,
  permitId: string,
  evidence: readonly Evidence[] = [],
): RemoveOutcome {
  return { sequence, outcome: "done", result: "removed", proof: { permitId, evidence } };
}

export async function onlyBatch(index: ObjectIndex, runId: string, lane: string): Promise<Batch> {
  const batches = await index.pendingBatches(runId, lane, 10);
  expect(batches).toHaveLength(1);
  return batches[0] as Batch;
}

export async function masks(index: ObjectIndex): Promise<readonly unknown[]> {
  await using session = await index.session();
  return await session.rows({
    text: `SELECT present_mask AS present, verified_mask AS verified, in_flight_mask AS flying
           FROM object ORDER BY object_id`,
    parameters: [],
  });
}

/** The ledger in words: kind, sequence, outcome, reason. */
export async function ledgerLines(index: ObjectIndex): Promise<readonly unknown[]> {
  await using session = await index.session();
  const rows = await session.rows({
    text: `SELECT concat_ws(' ', kind, sequence, outcome, reason) AS line
           FROM ledger ORDER BY entry_id`,
    parameters: [],
  });
  return rows.map((row) => row["line"]);
}
