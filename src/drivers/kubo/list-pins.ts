import type { ListedCopy, ListOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { cidToBytes } from "#content/cid.ts";
import type { KuboNode, NamedPin } from "#drivers/kubo/kubo-node.ts";

/** The node is asked about so many pins at a time. */
const askedTogether = 32;

/**
 * The recursive pins behind a cursor, a few at a time however many there are. A node lists them
 * in the order of its index, whose keys are the CIDs in base64url: that it does is checked, for
 * a listing that goes on in the middle would otherwise pass pins over, and they would count as
 * lost.
 */
export async function* listPins(
  node: KuboNode,
  copyOf: (cid: string, bytes: number) => ListedCopy["copy"],
  { cursor, signal }: ListOptions,
): AsyncGenerator<ListedCopy> {
  const describe = async ({ cid, name }: NamedPin): Promise<ListedCopy> => {
    const { bytes, size } = await node.facts(cid, signal);
    const named = name === "" ? {} : { name };
    return { cid, copy: copyOf(cid, bytes), size, ...named, cursor: keyOf(cid) };
  };
  let last = "";
  let waiting: NamedPin[] = [];
  for await (const pin of node.pins(signal)) {
    const { cid } = pin;
    const key = keyOf(cid);
    if (key <= last) throw unordered(cid);
    last = key;
    if (cursor !== undefined && key <= cursor) continue;
    waiting.push(pin);
    if (waiting.length < askedTogether) continue;
    yield* await Promise.all(waiting.map(describe));
    waiting = [];
  }
  yield* await Promise.all(waiting.map(describe));
}

function keyOf(cid: string): string {
  return Buffer.from(cidToBytes(cid)).toString("base64url");
}

function unordered(cid: string): EngineError {
  return new EngineError("NOT_SUPPORTED", `the node lists its pins in no order (at ${cid})`, {
    hint: "use a datastore that is ordered by key for all but the blocks, as is the default",
  });
}
