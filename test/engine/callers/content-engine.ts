import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiClient } from "#api/client.ts";
import type { AddedContent, AddOptions } from "#engine/callers/add-contents.ts";
import { addContents } from "#engine/callers/add-contents.ts";
import { type GotObject, getObject } from "#engine/callers/get-object.ts";
import type { Work } from "#engine/callers/work-steps.ts";
import type { ContentReader } from "#engine/callers/fetching.ts";
import { serveEngine } from "../../api/served-engine.ts";
import { runEngine } from "../running-engine.ts";

/** An engine behind HTTP, and a folder of whoever calls it. */
export interface ContentEngine extends AsyncDisposable {
  readonly api: ApiClient;
  /** Of the engine: the stores are in `hot`, `warm` and `cold`. */
  readonly stores: string;
  /** Of the caller. */
  readonly folder: string;
  add(source: string, options?: Partial<AddOptions>): Promise<AddedContent>;
  get(reference: string, output: string, from?: ContentReader): Promise<GotObject>;
  /** What was told beside results. */
  readonly problems: string[];
}

export async function openContentEngine(): Promise<ContentEngine> {
  // No run is started, so that nobody answers there.
  const running = await runEngine({ queueUrl: "redis://127.0.0.1:1", policy: "" });
  const served = await serveEngine(running.engine);
  const folder = await mkdtemp(join(tmpdir(), "thermocline-caller-"));
  const problems: string[] = [];
  const work = newWork(problems);
  return {
    api: served.client,
    stores: running.folder,
    folder,
    problems,
    async add(source, options = {}) {
      const request = { ...addDefaults(folder), sources: [source], api: served.client, ...options };
      const { added, failed } = await addContents(request, work);
      const [one] = added;
      if (one === undefined) throw failed[0]?.error;
      return one;
    },
    get: (reference, output, from = served.client) =>
      getObject(
        from,
        { reference, output: join(folder, output), from: undefined, force: false },
        work,
      ),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await running[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function addDefaults(cwd: string): Omit<AddOptions, "sources" | "api"> {
  return {
    cwd,
    stdin: noInput(),
    profile: "unixfs-v1-2025",
    bytesMax: 1024 ** 3,
    wrap: false,
    facts: { backend: "hot" },
  };
}

export function newWork(problems: string[] = []): Work {
  return {
    signal: new AbortController().signal,
    done: 0,
    bytes: 0,
    bytesTotal: undefined,
    problem: (message) => void problems.push(message),
  };
}

/** Changes one byte in the middle of the largest file of a store. */
export async function damageLargest(store: string): Promise<void> {
  let largest = { path: "", size: 0 };
  for (const entry of await readdir(store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size } = await stat(path);
    if (size > largest.size) largest = { path, size };
  }
  const bytes = await readFile(largest.path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await rm(largest.path);
  await writeFile(largest.path, bytes);
}

async function* noInput(): AsyncGenerator<Uint8Array> {
  yield* await Promise.resolve([]);
}
