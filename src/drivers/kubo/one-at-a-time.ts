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
