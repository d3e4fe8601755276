import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { dataPaths } from "#config/data-paths.ts";
import { profiles } from "#content/profile.ts";
import type { EngineContext } from "#engine/context.ts";
import { MalformedLines } from "#engine/malformed-lines.ts";
import type { MalformedRow, ManifestStep } from "#index/manifests/manifest-import.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ManifestProgress, ManifestRequest } from "#model/object-manifest.ts";
import { unknownBackend } from "#model/unknown-backend.ts";

/** What of the engine an import needs. */
export interface ManifestContext {
  readonly index: Pick<EngineContext["index"], "manifests" | "backends">;
  readonly config: Pick<EngineContext["config"], "dataDirectory">;
  readonly now: () => Date;
}

const examplesMax = 5;

/**
 * Enters the objects that a manifest names into the index. An import that is cut off, however,
 * goes on where it was when the same file is imported again; one that ended begins anew and finds
 * everything known.
 */
export async function* importManifest(
  context: ManifestContext,
  request: ManifestRequest,
): AsyncGenerator<ManifestProgress> {
  const { format, dryRun = false, restart = false } = request;
  await requireBackend(context, request.backend);
  const { path, importId } = await identify(request);
  const startedAt = context.now().getTime();
  const folder = dataPaths(context.config.dataDirectory).imports;
  const progress = new ProgressOf(context.now, startedAt);
  const steps = context.index.manifests.import({
    importId,
    path,
    format,
    dryRun,
    restart,
    defaults: { ...request, profiles: profiles.map(({ name }) => name) },
    keep: async (rows, keptBytes) => {
      const kept = new MalformedLines(folder, importId, keptBytes);
      await kept.keep(rows);
      progress.malformedFile = kept.path;
      return kept.bytes;
    },
  });
  let last: ManifestStep | undefined;
  for await (const step of steps) {
    if (last === undefined && step.keptBytes > 0) {
      progress.malformedFile = new MalformedLines(folder, importId, 0).path;
    }
    progress.take(step);
    last = step;
    yield progress.said(step, "progress");
  }
  if (last !== undefined) yield progress.said(last, "summary");
}

/** What is told of the steps. */
class ProgressOf {
  malformedFile: string | undefined;
  readonly #now: () => Date;
  readonly #startedAt: number;
  readonly #examples: string[] = [];
  #earlier: number | undefined;

  constructor(now: () => Date, startedAt: number) {
    this.#now = now;
    this.#startedAt = startedAt;
  }

  take(step: ManifestStep): void {
    this.#earlier ??= step.past;
    const room = Math.max(0, examplesMax - this.#examples.length);
    this.#examples.push(...step.malformedNow.slice(0, room).map(exampleOf));
  }

  said(step: ManifestStep, type: "progress" | "summary"): ManifestProgress {
    const { format, ignored, rows, bytes, added, known, copies, malformed, leftOut } = step;
    return {
      type,
      format,
      rows,
      rowsTotal: type === "summary" ? rows : step.rowsTotal,
      earlier: this.#earlier ?? 0,
      bytes,
      added,
      known,
      copies,
      malformed,
      malformedFile: this.malformedFile,
      examples: [...this.#examples],
      leftOut,
      ignored,
      elapsedMs: this.#now().getTime() - this.#startedAt,
    };
  }
}

function exampleOf({ line, reason }: MalformedRow): string {
  return `line ${line}: ${reason}`;
}

async function requireBackend({ index }: ManifestContext, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  const names = (await index.backends()).map((backend) => backend.name);
  if (!names.includes(name)) throw unknownBackend(name, names);
}

/** The same file with the same options: of another one the lines before a place are others. */
async function identify(request: ManifestRequest): Promise<{ path: string; importId: string }> {
  try {
    const path = await realpath(request.path);
    const { size, mtimeNs } = await stat(path, { bigint: true });
    const { backend, collection, owner, tags, prefix, format } = request;
    const options = [format, backend, collection, owner, tags, prefix].map((one) => one ?? null);
    const hash = createHash("sha256");
    hash.update(JSON.stringify([path, String(size), String(mtimeNs), ...options]));
    return { path, importId: hash.digest("hex") };
  } catch (cause) {
    throw new EngineError("UNREADABLE", `${request.path} cannot be read`, {
      cause,
      hint: "the path is one of the controller's machine: check that it exists there",
    });
  }
}
