import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ListedCopy } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { fileError } from "#drivers/local/file-error.ts";
import { parseObjectFile } from "#drivers/local/object-file.ts";
import type { StoreFolder } from "#drivers/local/store-folder.ts";

const cursorPattern = /^objects\/([0-9a-f]{3})\/([A-Za-z0-9.]+)$/;

/**
 * Everything in the store by shard and name. Only the names of one shard are in memory at a
 * time, and a cursor needs to find only its own shard again.
 */
export async function* listStoredFiles(
  folder: StoreFolder,
  cursor: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedCopy> {
  const after = cursor === undefined ? undefined : parseCursor(cursor);
  throwIfCancelled(signal, `listing ${folder.root}`);
  for (const shard of folder.shardNames()) {
    if (after !== undefined && shard < after.shard) continue;
    throwIfCancelled(signal, `listing ${folder.root}`);
    folder.checkMounted();
    const names = shardEntries(folder, shard);
    for (const name of names) {
      if (after !== undefined && shard === after.shard && name <= after.name) continue;
      throwIfCancelled(signal, `listing ${folder.root}`);
      const listed = describe(folder, shard, name);
      if (listed !== undefined) yield listed;
    }
  }
}

function shardEntries(folder: StoreFolder, shard: string): readonly string[] {
  const path = folder.existingShard(shard);
  if (path === undefined) return [];
  try {
    return readdirSync(path).toSorted();
  } catch (error) {
    throw fileError(error, "cannot list", path);
  }
}

/** One entry, or undefined when it is not ours or was removed in the meantime. */
function describe(folder: StoreFolder, shard: string, name: string): ListedCopy | undefined {
  const stored = parseObjectFile(shard, name);
  if (stored === undefined) return undefined;
  const stat = lstatSync(join(folder.objects, shard, name), { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return undefined;
  const locator = `objects/${shard}/${name}`;
  return {
    cid: stored.cid,
    copy: { locator, form: stored.form, bytes: stat.size },
    size: stored.form === "file" ? stat.size : undefined,
    cursor: locator,
  };
}

function parseCursor(cursor: string): { shard: string; name: string } {
  const match = cursorPattern.exec(cursor);
  if (match?.[1] !== undefined && match[2] !== undefined) {
    return { shard: match[1], name: match[2] };
  }
  throw new EngineError("USAGE", `"${cursor.slice(0, 80)}" is not a cursor of a local store`, {
    hint: "pass the `cursor` of a listed entry, or none to begin at the start",
  });
}
