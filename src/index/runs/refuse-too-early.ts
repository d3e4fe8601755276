import { EngineError } from "#model/engine-error.ts";
import type { CommitContext } from "#model/index-store.ts";

/** The job of the batch steps aside until then; nothing of its commit is recorded yet. */
export function refuseTooEarly({
  now,
  permitsFrom,
}: Pick<CommitContext, "now" | "permitsFrom">): void {
  const retryAfterMs = (permitsFrom?.getTime() ?? 0) - now.getTime();
  if (retryAfterMs <= 0) return;
  throw new EngineError(
    "UNAVAILABLE",
    `no copy is given up before ${permitsFrom?.toISOString()}: until then a permit may be in use ` +
      "that an earlier controller issued and this index does not know, or that was issued before " +
      "the clock of this one went forward",
    {
      retryAfterMs,
      details: { wait: "dependency" },
      hint: "nothing to do: removals go on by themselves",
    },
  );
}
