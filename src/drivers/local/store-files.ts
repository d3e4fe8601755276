import { existsSync } from "node:fs";
import { isAddressOf } from "#content/address-file.ts";
import { singlePieceMax } from "#model/single-piece.ts";
import { type GroupQuestion, groupState } from "#drivers/local/thread-question.ts";
import { IncomingFile } from "#drivers/local/incoming-file.ts";
import { objectFile } from "#drivers/local/object-file.ts";
import { readExactly } from "#drivers/local/read-files.ts";
import type { StoreFolder } from "#drivers/local/store-folder.ts";

/**
 * So many files are written before the first of them is forced to disk: the system does that for
 * several at a time, and a stop waits for no more.
 */
const filesTogether = 64;

/** A file of a group on its way. */
interface Arriving {
  readonly number: number;
  readonly cid: string;
  readonly size: number;
  readonly shard: string;
  readonly name: string;
  /** Undefined when a file with that name was there. */
  readonly incoming: IncomingFile | undefined;
}

/** Stores those files of a group that nothing stands in the way of, and checks each of them. */
export async function storeFiles(folder: StoreFolder, question: GroupQuestion): Promise<void> {
  const { sizes, places, memory, results } = question;
  const cids = question.cids.split("\n");
  for (let first = 0; first < cids.length; first += filesTogether) {
    const arriving: Arriving[] = [];
    for (const [offset, cid] of cids.slice(first, first + filesTogether).entries()) {
      const number = first + offset;
      const [place, size] = [places[number] ?? 0, sizes[number] ?? 0];
      if (Atomics.load(results.stop, 0) !== 0) break;
      const file = orLeft(() => begin(folder, cid, memory.subarray(place, place + size)));
      if (file !== undefined) arriving.push({ ...file, number, cid, size });
    }
    await finish(folder, arriving, question);
    if (Atomics.load(results.stop, 0) !== 0) return;
  }
}

/** Writes the bytes beside. A copy in another form needs a look of its own, and is left. */
function begin(folder: StoreFolder, cid: string, bytes: Uint8Array) {
  const { shard, name } = objectFile(cid, "file");
  // A text that is not the name would come back as something else than it went.
  if (name !== cid) return undefined;
  const path = folder.seenShard(shard);
  if (path !== undefined && existsSync(`${path}/${objectFile(cid, "car").name}`)) return undefined;
  if (path !== undefined && existsSync(`${path}/${name}`)) {
    return { shard, name, incoming: undefined };
  }
  const incoming = new IncomingFile(folder.incoming);
  try {
    incoming.writeBlocking(bytes);
    if (!folder.syncsFiles) incoming.close();
    return { shard, name, incoming };
  } catch (error) {
    incoming.discard();
    throw error;
  }
}

/** Gives what was written its lasting names, as durably as the store has it, and reads it back. */
async function finish(
  folder: StoreFolder,
  arriving: readonly Arriving[],
  question: GroupQuestion,
): Promise<void> {
  try {
    const synced = folder.syncsFiles ? await whereDone(arriving, sync) : arriving;
    const named = await whereDone(synced, (file) => publish(folder, file));
    const shards = new Set(named.map(({ shard }) => `${folder.objects}/${shard}`));
    const lasting = new Set(await whereDone([...shards], (path) => folder.syncFolder(path)));
    for (const file of named) {
      if (lasting.has(`${folder.objects}/${file.shard}`)) check(folder, file, question);
    }
  } finally {
    for (const { incoming } of arriving) orLeft(() => incoming?.discard());
  }
}

async function sync({ incoming }: Arriving): Promise<void> {
  await incoming?.sync();
}

async function publish(folder: StoreFolder, { incoming, shard, name }: Arriving): Promise<void> {
  if (incoming === undefined) return;
  incoming.close();
  incoming.publish(`${await folder.shard(shard)}/${name}`);
}

const readBack = Buffer.alloc(singlePieceMax + 1);

/** Notes the result where the file is what it should be. */
function check(folder: StoreFolder, file: Arriving, { profile, results }: GroupQuestion): void {
  const { number, cid, size, shard, name, incoming } = file;
  const path = `${folder.objects}/${shard}/${name}`;
  const isWhole = orLeft(() => readExactly(path, readBack, 0, size)) === true;
  if (!isWhole || !isAddressOf(cid, readBack.subarray(0, size), profile)) return;
  results.shards[number] = Number.parseInt(shard, 16);
  results.times[number] = Date.now();
  results.states[number] = incoming === undefined ? groupState.known : groupState.done;
}

/** Those that something was done to without an error. */
async function whereDone<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<readonly Item[]> {
  const ends = await Promise.allSettled(items.map(act));
  return items.filter((_, at) => ends[at]?.status === "fulfilled");
}

/** What cannot be done is left to the caller, who does it alone and hears why. */
function orLeft<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
