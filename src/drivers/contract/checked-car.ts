import { blockIdentity, CarChecker } from "#content/car-checker.ts";
import type { CarBlock } from "#content/car-parser.ts";
import { carSectionHead } from "#content/car-writer.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";

export interface CheckedCarEvents {
  /** Hears the bytes of the distinct blocks that have come so far. */
  readonly onBytes: (total: number) => void;
  /** Is waited for before the last bytes of these blocks are passed on. */
  readonly beforePassing?: (blocks: readonly CarBlock[]) => Promise<void>;
}

/**
 * Passes a CAR on to a service that keeps blocks. Throws CORRUPT where the CAR would end and does
 * not hold the whole object: what is pinned half would have its nodes look for the rest for ever.
 * A root in its own CID that the CAR leaves out is put at the end.
 */
export async function* checkedCar(
  stream: ByteStream,
  object: ObjectRef,
  { onBytes, beforePassing }: CheckedCarEvents,
): ByteStream {
  const seen = new Set<string>();
  let total = 0;
  let blocks: CarBlock[] = [];
  const checker = new CarChecker(object, (block) => {
    const identity = blockIdentity(block.cid);
    if (seen.has(identity)) return;
    seen.add(identity);
    total += block.bytes.length;
    onBytes(total);
    if (beforePassing !== undefined) blocks.push(block);
  });
  for await (const bytes of stream) {
    await checker.update(bytes);
    if (blocks.length > 0) {
      await checker.settle();
      await beforePassing?.(blocks);
    }
    blocks = [];
    yield bytes;
  }
  const leftOut = await checker.finish();
  // A service may want to see what it is to keep.
  if (leftOut === undefined) return;
  yield carSectionHead(leftOut.cid, [leftOut.bytes]);
  yield leftOut.bytes;
}
