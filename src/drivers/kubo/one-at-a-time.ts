import { waitUnlessCancelled } from "#drivers/contract/wait-unless-cancelled.ts";

const underWay = new Map<string, Promise<unknown>>();

/** Has this process do one thing of that name at a time; whoever comes later waits. */
export async function oneAtATime<Result>(
  name: string,
  act: () => Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  for (let before = underWay.get(name); before !== undefined; before = underWay.get(name)) {
    await waitUnlessCancelled(before, signal, `waiting for another writer of ${name}`);
  }
  const acting = act();
  const ended = acting.then(
    () => undefined,
    () => undefined,
  );
  underWay.set(name, ended);
  try {
    return await acting;
  } finally {
    underWay.delete(name);
  }
}

/** The same for something that tells how far it is: its turn ends with the last word of it. */
export async function* streamOneAtATime<Step>(
  name: string,
  steps: () => AsyncIterable<Step>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Step> {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const act = async (): Promise<void> => {
    begun.resolve();
    await ended.promise;
  };
  const turn = oneAtATime(name, act, signal);
  try {
    await Promise.race([begun.promise, turn]);
    yield* steps();
  } finally {
    ended.resolve();
  }
}
