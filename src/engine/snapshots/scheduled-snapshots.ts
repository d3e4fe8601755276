import type { EngineContext } from "#engine/context.ts";
import { SnapshotSchedule } from "#engine/snapshots/snapshot-schedule.ts";
import type { EngineError } from "#model/engine-error.ts";

/** The schedule of snapshots that the configuration asks for, if it asks for any. */
export function scheduledSnapshots(
  { config, snapshots: desk, index, now }: EngineContext,
  onError: (error: EngineError) => void,
): SnapshotSchedule | undefined {
  const { everyMs, keep, push } = config.snapshots;
  if (everyMs === undefined) return undefined;
  const take = () => desk.take(index, { now: now() });
  return new SnapshotSchedule({ desk, take, everyMs, keep, push, now, onError });
}
