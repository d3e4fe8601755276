import { setTimeout as sleep } from "node:timers/promises";
import type { QueueStore } from "#jobs/queue-store.ts";

const askEveryMs = 1_000;

/**
 * Waits for something to end that talks to the queue store, for as long as the store answers.
 * What is left behind then is what a killed process leaves: whoever comes next takes it up.
 */
export async function endOrGone(
  store: Pick<QueueStore, "answers">,
  ending: Promise<unknown>,
): Promise<void> {
  const ended = ending.then(() => true);
  // It may still fail after we have gone on.
  ended.catch(() => undefined);
  for (;;) {
    const pause = new AbortController();
    const late = sleep(askEveryMs, false, { signal: pause.signal }).catch(() => false);
    const isOver = await Promise.race([ended, late]).finally(() => {
      pause.abort();
    });
    if (isOver || !(await store.answers())) return;
  }
}
