import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addressBytes } from "#content/address-file.ts";
import { integerBetween, pickOne } from "../seeded-random.ts";
import type { Stage } from "./stage.ts";
import { bucketBackend } from "./stage-files.ts";

/** One stored copy that was destroyed. */
export interface Damage {
  readonly cid: string;
  readonly backend: string;
  readonly how: "flip" | "delete";
}

/** A permit counts until this long after it ran out (docs/decisions/0021). */
const permitMarginMs = 2 * 60 * 1_000;
const profile = "unixfs-v1-2025";

/**
 * Destroys one copy of an object that has another intact one, by changing a byte or deleting
 * the file. Never the last: the object is held meanwhile so that no removal begins, none may be
 * under way, and another copy is hashed first. Gives undefined where that does not work out.
 */
export async function damageCopy(stage: Stage, random: () => number): Promise<Damage | undefined> {
  const backend = pickOne(random, stage.backends) ?? "hot";
  const how = random() < 0.6 ? "flip" : "delete";
  const cid = await pickCid(stage, backend, random);
  if (cid === undefined) return undefined;
  const api = await stage.api();
  stage.held.add(cid);
  try {
    const { objectId } = await api.setHold(cid, true, "chaos damages a copy");
    const after = new Date(Date.now() - permitMarginMs).toISOString();
    const permits = `SELECT count(*)::INTEGER AS n FROM ledger WHERE kind = 'permit'
      AND object_id = ${objectId} AND (detail ->> 'expiresAt') > '${after}'`;
    for await (const { rows } of api.query(permits)) if (rows[0]?.["n"] !== 0) return undefined;
    if (!(await hasIntactCopy(stage, cid, backend))) return undefined;
    const damage = { cid, backend, how } as const;
    stage.faults.noteDamage(damage);
    await destroy(stage.copyFile(backend, cid), how, random);
    return damage;
  } finally {
    await release(stage, cid);
  }
}

/** Lets go of what is held still, because nobody answered when it should have been released. */
export async function releaseHeld(stage: Stage): Promise<void> {
  for (const cid of stage.held) await release(stage, cid);
}

async function release(stage: Stage, cid: string): Promise<void> {
  try {
    await (await stage.api()).setHold(cid, false, "chaos is done with it");
    stage.held.delete(cid);
  } catch {
    // Nobody answers now: it stays in the list and is released at the end.
  }
}

async function pickCid(
  stage: Stage,
  backend: string,
  random: () => number,
): Promise<string | undefined> {
  const pickIn = async (folder: string): Promise<string | undefined> =>
    pickOne(random, await readdir(folder).catch(() => []));
  let folder = stage.storage(backend);
  if (backend !== bucketBackend.name) {
    folder = join(folder, "objects");
    folder = join(folder, (await pickIn(folder)) ?? "");
  }
  const name = await pickIn(folder);
  return name?.startsWith("baf") === true ? name : undefined;
}

async function hasIntactCopy(stage: Stage, cid: string, except: string): Promise<boolean> {
  for (const backend of stage.backends) {
    if (backend === except) continue;
    const bytes = await readFile(stage.copyFile(backend, cid)).catch(() => undefined);
    if (bytes !== undefined && addressBytes(bytes, profile).cid === cid) return true;
  }
  return false;
}

async function destroy(path: string, how: Damage["how"], random: () => number): Promise<void> {
  if (how === "delete") {
    await rm(path, { force: true });
    return;
  }
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined || bytes.length === 0) return;
  const place = integerBetween(random, 0, bytes.length - 1);
  bytes[place] = (bytes[place] ?? 0) ^ (1 << integerBetween(random, 0, 7));
  await writeFile(path, bytes, { flag: "r+" }).catch(() => undefined);
}
