/** A thread that was told to stop and hangs in a call is not waited for any longer. */
const stopPatienceMs = 1_000;

/**
 * Waits for what a thread works on. From the signal on, which `stop` passes on, only for a while;
 * false when it has not ended by then.
 */
export async function untilStopped(
  work: Promise<void>,
  signal: AbortSignal | undefined,
  stop: () => void,
): Promise<boolean> {
  const patience = Promise.withResolvers<false>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    stop();
    timer = setTimeout(() => {
      patience.resolve(false);
    }, stopPatienceMs);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work.then(() => true), patience.promise]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  }
}
