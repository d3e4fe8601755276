import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Connection } from "#index/connection.ts";
import { ListingStage } from "#index/inventories/listing-stage.ts";
import { mergeRuns, readRuns, writeRun } from "#index/inventories/merge-runs.ts";
import type { ListedCopy } from "#model/driver.ts";

/** What a listing was begun as; one that is of another source is not gone on with. */
export interface ListingStart {
  readonly source: string;
  readonly begunAt: Date;
  /** The installation whose index it is for: what was listed for another is not gone on with. */
  readonly installation: string;
  /** Forget what an interrupted one had listed. */
  readonly restart: boolean;
}

const stateSchema = z.object({
  schemaVersion: z.literal(3),
  /** Those of before have none. */
  id: z.string().default(() => randomUUID()),
  source: z.string(),
  /** Those of before have none. */
  installation: z.string().optional(),
  begunAt: z.iso.datetime(),
  cursor: z.string().optional(),
  listed: z.int().nonnegative(),
  foreign: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  parts: z.int().nonnegative(),
});
type State = z.output<typeof stateSchema>;

/** An older listing says too little of what is there now. */
const ageMaxMs = 7 * 24 * 3_600_000;

/**
 * A listing under way, in Parquet files of which each is whole: listing a large backend takes
 * hours, and a process that was killed goes on behind the last file.
 */
export class ListingParts {
  readonly #connection: Connection;
  readonly #folder: string;
  #state: State;
  #stage: ListingStage | undefined;
  #foreign = 0;
  #waiting = 0;
  #bytes = 0;

  private constructor(connection: Connection, folder: string, state: State) {
    this.#connection = connection;
    this.#folder = folder;
    this.#state = state;
  }

  /** Goes on with the listing in a folder, or begins one there. */
  static async open(
    connection: Connection,
    folder: string,
    { source, begunAt, installation, restart }: ListingStart,
  ): Promise<ListingParts> {
    const found = await readState(join(folder, stateFile));
    const isFresh = begunAt.getTime() - Date.parse(found?.begunAt ?? "") <= ageMaxMs;
    const isOurs =
      found?.source === source && (found.installation ?? installation) === installation;
    if (!restart && isOurs && isFresh) {
      return new ListingParts(connection, folder, found);
    }
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new ListingParts(connection, folder, {
      schemaVersion: 3,
      id: randomUUID(),
      source,
      installation,
      begunAt: begunAt.toISOString(),
      listed: 0,
      foreign: 0,
      bytes: 0,
      parts: 0,
    });
  }

  /** Of this listing alone: one that is begun anew has another. */
  get id(): string {
    return this.#state.id;
  }

  /** Takes another id: what is known of the listing is not of this state of it. */
  renew(): void {
    this.#state = { ...this.#state, id: randomUUID() };
  }

  /** Files that are whole. */
  get parts(): number {
    return this.#state.parts;
  }

  get begunAt(): Date {
    return new Date(this.#state.begunAt);
  }

  /** Behind this entry the listing goes on; undefined at the start. */
  get cursor(): string | undefined {
    return this.#state.cursor;
  }

  get listed(): number {
    return this.#state.listed + this.#waiting;
  }

  get foreign(): number {
    return this.#state.foreign + this.#foreign;
  }

  /** Bytes of the copies that were listed. */
  get bytes(): number {
    return this.#state.bytes + this.#bytes;
  }

  /** Copies that are not in a file yet. */
  get waiting(): number {
    return this.#waiting;
  }

  async add(copy: Omit<ListedCopy, "cursor">): Promise<void> {
    this.#stage ??= await ListingStage.begin(this.#connection, "listing_part", this.#state.listed);
    this.#waiting += 1;
    this.#bytes += copy.copy.bytes;
    await this.#stage.add(copy);
  }

  addForeign(): void {
    this.#foreign += 1;
  }

  /** Writes what waits to a file of its own, and that the listing goes on behind the cursor. */
  async seal(cursor: string | undefined): Promise<void> {
    const { parts } = this.#state;
    if (this.#stage !== undefined) {
      await this.#stage.flush();
      await this.#write(this.#part(parts));
      this.#stage = undefined;
    }
    this.#state = {
      ...this.#state,
      listed: this.listed,
      foreign: this.foreign,
      bytes: this.bytes,
      parts: this.#waiting > 0 ? parts + 1 : parts,
      ...(cursor === undefined ? {} : { cursor }),
    };
    [this.#waiting, this.#foreign, this.#bytes] = [0, 0, 0];
    await replaceFile(join(this.#folder, stateFile), `${JSON.stringify(this.#state)}\n`);
    // Else a power failure may bring back the one before, when the index knows of this one.
    await sync(this.#folder);
  }

  /** Where what is made of the listing may lie beside it; goes with it. */
  get scratch(): string {
    return join(this.#folder, "compared");
  }

  /** Makes the temporary view `listing` of all that was listed, which is read in pieces. Yields on the way. */
  async *present(pieceRows: number): AsyncGenerator<void> {
    const { parts } = this.#state;
    if (parts === 0) {
      await ListingStage.begin(this.#connection, "listing_none");
      await this.#connection.run("CREATE OR REPLACE TEMP VIEW listing AS FROM listing_none");
      return;
    }
    const files = Array.from({ length: parts }, (_, number) => this.#part(number));
    const options = { by: "cid_key", folder: this.#merged, pieceRows };
    const runs = yield* mergeRuns(this.#connection, files, options);
    await this.#connection.run(`CREATE OR REPLACE TEMP VIEW listing AS FROM ${readRuns(runs)}`);
  }

  /** Removes what was made of the listing; the listing stays. */
  async clearScratch(): Promise<void> {
    for (const folder of [this.scratch, this.#merged]) {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The listing was used, or is of no use. */
  async drop(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #write(path: string): Promise<void> {
    const unfinished = `${path}.unfinished`;
    // In the order of keys and in small groups: who reads a range of keys reads little else.
    await writeRun(this.#connection, "listing_part", { by: "cid_key", path: unfinished });
    await sync(unfinished);
    await rename(unfinished, path);
    await sync(this.#folder);
  }

  get #merged(): string {
    return join(this.#folder, "merged");
  }

  #part(number: number): string {
    return join(this.#folder, `part-${String(number).padStart(6, "0")}.parquet`);
  }
}

const stateFile = "listing.json";

async function readState(path: string): Promise<State | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // None, or one that a crash left in pieces: the listing begins anew.
    return undefined;
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  await using file = await open(unfinished, "w", 0o600);
  await file.writeFile(text);
  await file.sync();
  await rename(unfinished, path);
}

/** Has the bytes of a file, or the names in a folder, on the disk before it resolves. */
async function sync(path: string): Promise<void> {
  await using file = await open(path, "r");
  await file.sync();
}
