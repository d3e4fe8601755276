import { cancelled } from "#drivers/contract/cancelled.ts";

/** Waits for work that others share, and stops waiting (not the work) when the signal fires. */
export async function waitUnlessCancelled<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
  doing: string,
): Promise<Result> {
  if (signal === undefined) return await work;
  return await new Promise<Result>((resolve, reject) => {
    const stop = (): void => {
      reject(cancelled(signal, doing));
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", stop);
    });
  });
}
