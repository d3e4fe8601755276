import type { ByteStream } from "#model/driver.ts";

/** The body of an empty range. */
export async function* noBytes(): ByteStream {
  // It ends at once.
}
