/**
 * Runs `work` for every item, at most `atOnce` at a time, in order of start. The first error
 * stops the rest and is thrown once all that had begun have ended; so does the signal. After
 * `drain` nothing further is begun, and its reason is thrown if anything was left.
 */
export async function forEachObject<Item>(
  items: readonly Item[],
  atOnce: number,
  signal: AbortSignal,
  work: (item: Item) => Promise<void>,
  drain?: AbortSignal,
): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (failure === undefined && !signal.aborted) {
      if (drain?.aborted === true) return;
      const item = items[next];
      if (next >= items.length || item === undefined) return;
      next += 1;
      try {
        await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
  if (next < items.length) drain?.throwIfAborted();
}
