import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { clearDataDirectory } from "#engine/clear-abandoned.ts";
import type { EngineEvents } from "#engine/events.ts";
import { commandWaitMs } from "#engine/leadership.ts";
import { refuseLostIndex } from "#engine/refuse-lost-index.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { EngineError } from "#model/engine-error.ts";
import type { WriteFence } from "#model/write-fence.ts";

/** Opens the index of the data directory; LOCKED when another process has it, REFUSED if lost. */
export async function openIndex(
  config: Config,
  now: () => Date,
  events: EngineEvents,
  fence: WriteFence,
): Promise<ObjectIndex> {
  await refuseLostIndex(config);
  const index = await ObjectIndex.open(dataPaths(config.dataDirectory).index, {
    ...indexOptions(config),
    now,
    fence,
    onEvent: (event) => {
      events.emit(event);
    },
  });
  await clearDataDirectory(config);
  return index;
}

/** What the configuration says about every index that is opened. */
export function indexOptions(config: Config) {
  return {
    memoryLimit: `${config.index.memoryBytes}B`,
    threads: config.index.threads ?? Math.max(1, cpus().length),
    heatHalfLifeMs: config.heat.halfLifeMs,
    clockSkewMs: config.safety.clockSkewMs,
  };
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
