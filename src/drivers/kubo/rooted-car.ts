import { CarParser } from "#content/car-parser.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { parseCid } from "#content/cid.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";

/**
 * The blocks of a CAR of any version as a CARv1 with one root, the object: the node pins whatever
 * a CAR names as its roots, and it has to pin this and nothing else.
 */
export async function* rootedCar(stream: ByteStream, { cid }: ObjectRef): ByteStream {
  const ready: Uint8Array[] = [carHeader(parseCid(cid))];
  const parser = new CarParser({
    onRoots: () => undefined,
    onBlock: (block) => ready.push(carSectionHead(block.cid, [block.bytes]), block.bytes),
  });
  for await (const bytes of stream) {
    parser.update(bytes);
    yield* ready.splice(0);
  }
  parser.finish();
  yield* ready;
}
