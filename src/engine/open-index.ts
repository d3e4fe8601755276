import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import type { EngineEvents } from "#engine/events.ts";
import { commandWaitMs } from "#engine/leadership.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { EngineError } from "#model/engine-error.ts";
import type { WriteFence } from "#model/write-fence.ts";

/** Opens the index of the data directory; LOCKED when another process has it. */
export function openIndex(
  config: Config,
  now: () => Date,
  events: EngineEvents,
  fence: WriteFence,
): Promise<ObjectIndex> {
  return ObjectIndex.open(dataPaths(config.dataDirectory).index, {
    memoryLimit: `${config.index.memoryBytes}B`,
    ...(config.index.threads === undefined ? {} : { threads: config.index.threads }),
    heatHalfLifeMs: config.heat.halfLifeMs,
    clockSkewMs: config.safety.clockSkewMs,
    now,
    fence,
    onEvent: (event) => {
      events.emit(event);
    },
  });
}

/** The same for a command: another one that is about to end may hold the index. */
export async function openIndexInTurn(open: () => Promise<ObjectIndex>): Promise<ObjectIndex> {
  const deadline = Date.now() + commandWaitMs;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (EngineError.from(error).code !== "LOCKED" || Date.now() > deadline) throw error;
      await delay(250);
    }
  }
}
