import { appendFile, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import { cidFromBytes } from "#content/cid.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { importDirectory } from "#jobs/import-directory.ts";
import type { Driver } from "#model/driver.ts";
import type { ImportProgress, ImportRequest } from "#model/engine-api.ts";
import { openIndex } from "../index/open-index.ts";
import { LocalStores } from "./local-stores.ts";

/** What each test of imports starts with: an empty folder, an empty store, an empty index. */
export let stores: LocalStores;
export let index: ObjectIndex;
export let tree: string;
export let hot: Driver;

export function stageImports(): void {
  beforeEach(async () => {
    stores = await LocalStores.open();
    ({ index } = await openIndex(["hot"]));
    hot = await stores.driver("hot");
    tree = join(stores.folder, "photos");
    await mkdir(tree);
  });

  afterEach(async () => {
    await stores[Symbol.asyncDispose]();
  });
}

export const profile = "unixfs-v1-2025";

export function importTree(
  request: Partial<ImportRequest> = {},
  driver: Driver = hot,
  options: Parameters<typeof importDirectory>[3] = {},
): AsyncGenerator<ImportProgress> {
  const whole = { path: tree, backend: "hot", ...request };
  return importDirectory(whole, { backend: "hot", driver }, index, options);
}

export async function everythingOf(events: AsyncIterable<ImportProgress>) {
  const all = await Array.fromAsync(events);
  const problems = all.filter(({ type }) => type === "problem").map(({ message }) => message);
  const summary = all.at(-1);
  expect(summary?.type).toBe("summary");
  return { problems, summary };
}

export async function summaryOf(events: AsyncIterable<ImportProgress>): Promise<unknown> {
  return (await everythingOf(events)).summary;
}

export async function put(path: string, text: string): Promise<void> {
  const whole = join(tree, path);
  await mkdir(join(whole, ".."), { recursive: true });
  await appendFile(whole, text);
  expect((await stat(whole)).size).toBe(text.length);
}

export function cidOf(bytes: Uint8Array): string {
  return addressBytes(bytes, profile).cid;
}

export async function stored(driver: Driver = hot): Promise<readonly string[]> {
  const listed = await Array.fromAsync(driver.list());
  return listed.map(({ cid }) => cid).toSorted();
}

/**
 * The index knows what the store holds. A file that was stored and was being checked when the
 * import ended is the exception: the next import finds it.
 */
export async function expectIndexOf(driver: Driver): Promise<void> {
  const known = await rows("SELECT cid FROM object");
  const held = new Set(await stored(driver));
  for (const { cid } of known) expect(held).toContain(cidFromBytes(cid as Uint8Array));
  expect(held.size - known.length).toBeLessThanOrEqual(16);
}

export async function count(): Promise<number> {
  const [row] = await rows("SELECT count(*) AS n FROM object");
  return Number(row?.["n"]);
}

export async function rows(text: string) {
  await using session = await index.session();
  return await session.rows({ text, parameters: [] });
}
