import { type CarBlock, CarParser } from "#content/car-parser.ts";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { parseCid } from "#content/cid.ts";
import type { BlocksThere } from "#drivers/contract/blocks-there.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream, OnPart } from "#model/driver.ts";

/** Blocks that are being asked for while the next come: no more memory than these is held. */
const askedAheadMax = 4;

/**
 * The blocks of a CAR of any version as a CARv1 with one root, the object: a service pins whatever
 * a CAR names as its roots, and it has to pin this and nothing else. Those that the service has
 * already are left out. `onPart` hears of each block.
 */
export async function* rootedCar(
  stream: ByteStream,
  { cid }: ObjectRef,
  there?: BlocksThere,
  onPart?: OnPart,
): ByteStream {
  const came: CarBlock[] = [];
  const asked: { readonly block: CarBlock; readonly isThere: Promise<boolean> }[] = [];
  const parser = new CarParser({
    onRoots: () => undefined,
    onBlock: (block) => came.push(block),
  });
  const section = function* ({ cid, bytes }: CarBlock): Generator<Uint8Array> {
    const head = carSectionHead(cid, [bytes]);
    yield head;
    yield bytes;
    onPart?.("sent", head.length + bytes.length);
  };
  const passing = async function* (left: number): ByteStream {
    for (const block of came.splice(0)) {
      if (there?.isAsking === true) asked.push({ block, isThere: there.has(block) });
      else yield* section(block);
      yield* decided(left);
    }
  };
  const decided = async function* (left: number): ByteStream {
    while (asked.length > left) {
      const { block, isThere } = asked.shift()!;
      if (await isThere) onPart?.("there", block.bytes.length);
      else yield* section(block);
    }
  };
  yield carHeader(parseCid(cid));
  for await (const bytes of stream) {
    parser.update(bytes);
    yield* passing(askedAheadMax);
  }
  parser.finish();
  yield* passing(askedAheadMax);
  yield* decided(0);
  await there?.confirm();
}
