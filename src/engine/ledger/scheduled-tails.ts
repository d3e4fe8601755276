import type { EngineContext } from "#engine/context.ts";
import { TailSchedule } from "#engine/ledger/tail-schedule.ts";
import { TailWriter } from "#engine/ledger/tail-writer.ts";
import type { EngineError } from "#model/engine-error.ts";

/** The schedule of tails of the ledger; where there are no snapshots by the clock, there is none. */
export function scheduledTails(
  { config, snapshots: desk, index, now }: EngineContext,
  onError: (error: EngineError) => void,
): TailSchedule | undefined {
  const { everyMs, ledgerEveryMs, push } = config.snapshots;
  if (everyMs === undefined) return undefined;
  const writer = new TailWriter({ index, store: desk.store, now });
  return new TailSchedule({ desk, writer, everyMs: ledgerEveryMs, now, push, onError });
}
