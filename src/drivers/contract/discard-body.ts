import type { WriteBody } from "#model/driver.ts";

/** Ends a body that is not needed, so that whoever feeds it lets go of files and sockets. */
export async function discardBody(body: WriteBody): Promise<void> {
  await body.stream[Symbol.asyncIterator]().return?.();
}
