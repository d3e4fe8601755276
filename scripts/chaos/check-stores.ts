import { type AuditReport, type Promised, rehashStores } from "../rehash-stores.ts";
import type { Stage } from "./stage.ts";

/** What the stores hold in truth, hashed by a program that shares no code with the engine. */
export interface StoreFacts extends AuditReport {
  readonly deleted: number;
  /** Files whose import was confirmed. */
  readonly confirmed: number;
  /** Of these, what the index does not know any more, or deleted although nothing says so. */
  readonly forgotten: readonly string[];
}

/** Verified copies of everything, and of what the policy wants twice. */
const minimum = 1;
const wanted = 2;

/**
 * Re-hashes every file and compares with what every object that was not deleted must have; and
 * looks for every file that was ever handed over.
 */
export async function checkStores(stage: Stage): Promise<StoreFacts> {
  const scratch = await ids(stage, "SELECT object_id FROM tag WHERE tag = 'scratch'");
  const gone = await ids(
    stage,
    "SELECT object_id FROM object WHERE tombstoned IS NOT NULL AND present_mask = 0",
  );
  const contents = new Map<number, string>();
  const forgotten: string[] = [];
  const names = await namesOf(stage);
  for (const [path, { sha256, isScratch }] of stage.imports) {
    const objectId = names.get(path);
    if (objectId !== undefined) contents.set(objectId, sha256);
    if (isScratch) continue;
    if (objectId === undefined) forgotten.push(`${path} is not in the index`);
    else if (gone.has(objectId)) forgotten.push(`${path} was deleted, and is no scratch`);
  }
  const objects = (await Array.fromAsync((await stage.api()).objects({}))).flat();
  const living = objects.filter(({ objectId }) => !gone.has(objectId));
  const promises = living.map(({ objectId, cid, backends }): Promised => {
    const sha256 = contents.get(objectId);
    const atLeast = scratch.has(objectId) ? minimum : wanted;
    return { cid, backends, atLeast, ...(sha256 === undefined ? {} : { sha256 }) };
  });
  const report = await rehashStores(
    stage.backends.map((name) => stage.storage(name)),
    promises,
  );
  const deleted = objects.length - living.length;
  return { ...report, deleted, confirmed: stage.imports.size, forgotten };
}

async function namesOf(stage: Stage): Promise<ReadonlyMap<string, number>> {
  const names = new Map<string, number>();
  for await (const { rows } of (await stage.api()).query("SELECT path, object_id FROM name")) {
    for (const row of rows) names.set(String(row["path"]), Number(row["object_id"]));
  }
  return names;
}

async function ids(stage: Stage, text: string): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for await (const { rows } of (await stage.api()).query(text)) {
    for (const row of rows) found.add(Number(row["object_id"]));
  }
  return found;
}
