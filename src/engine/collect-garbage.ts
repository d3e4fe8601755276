import type { EngineContext } from "#engine/context.ts";
import { EngineError } from "#model/engine-error.ts";
import type { GarbageProgress, GarbageRequest, GarbageStep } from "#model/garbage.ts";
import { requireGarbage } from "#model/require-garbage.ts";
import { formatSize } from "#model/quantity.ts";

/** Backends that are collecting: a second order would only wait for the first. */
const underWay = new Set<string>();

/** Has a backend free what no copy needs. The ledger knows who ordered it, and how it ended. */
export async function* collectGarbage(
  { pool, index, now }: Pick<EngineContext, "pool" | "index" | "now">,
  { backend, dryRun = false }: GarbageRequest,
): AsyncGenerator<GarbageProgress> {
  const driver = requireGarbage(await pool.driver(backend), backend);
  if (underWay.has(backend)) {
    throw new EngineError("LOCKED", `${backend} is collecting its garbage already`, {
      hint: "wait until that has ended: it frees everything that is garbage by then",
    });
  }
  underWay.add(backend);
  const startedAt = now();
  const record = async (what: string, detail: object = {}): Promise<void> => {
    if (dryRun) return;
    const reason = `garbage collection of ${backend} ${what}`;
    await index.controls.record(reason, { backend, ...detail }, now());
  };
  let last: GarbageStep | undefined;
  let end = "was broken off";
  try {
    await record("was ordered");
    for await (const step of driver.collectGarbage({ dryRun })) {
      last = step;
      if (isEnd(step, dryRun)) continue;
      yield progress("progress", step, startedAt, now());
    }
    if (last === undefined) throw new EngineError("INTERNAL", `${backend} said nothing`);
    end = whatItFreed(last);
    yield progress("summary", last, startedAt, now());
  } catch (thrown) {
    end = `failed: ${EngineError.from(thrown).message}`;
    throw thrown;
  } finally {
    underWay.delete(backend);
    await record(end, last);
  }
}

function isEnd({ usedBytes, nodes }: GarbageStep, dryRun: boolean): boolean {
  return !dryRun && (usedBytes !== undefined || nodes !== undefined);
}

function whatItFreed({ blocks, usedBytesBefore, usedBytes }: GarbageStep): string {
  if (usedBytesBefore === undefined || usedBytes === undefined) return `dropped ${blocks} blocks`;
  return `freed ${formatSize(Math.max(0, usedBytesBefore - usedBytes))}`;
}

function progress(
  type: GarbageProgress["type"],
  step: GarbageStep,
  startedAt: Date,
  now: Date,
): GarbageProgress {
  return { ...step, type, elapsedMs: now.getTime() - startedAt.getTime() };
}
