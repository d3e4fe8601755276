import type { ListedCopy, ListOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { cidToBytes } from "#content/cid.ts";
import type { KuboNode, NamedPin } from "#drivers/kubo/kubo-node.ts";
import { lentWrappers } from "#drivers/kubo/lent-wrappers.ts";
import { rootFacts } from "#drivers/kubo/root-facts.ts";

/** So many pins are described at a time. */
const describedTogether = 10_000;

/**
 * The recursive pins behind a cursor, some at a time however many there are. A listing of pins says
 * nothing of sizes: the node is asked only for those that the caller does not know. It lists pins
 * in the order of its index, whose keys are the CIDs in base64url: that it does is checked, for
 * a listing that goes on in the middle would otherwise pass pins over, and they would count as
 * lost. Pins that only keep what the node lends to a service are no copies.
 */
export async function* listPins(
  node: KuboNode,
  copyOf: (cid: string, bytes: number) => ListedCopy["copy"],
  { cursor, signal, knownBytes }: ListOptions,
): AsyncGenerator<ListedCopy> {
  const describe = async function* (pins: readonly NamedPin[]): AsyncGenerator<ListedCopy> {
    const known = (await knownBytes?.(pins.map(({ cid }) => cid))) ?? [];
    const unknown = pins.filter((_, at) => known[at] === undefined).map(({ cid }) => cid);
    const lent = await lentWrappers(node, unknown, signal);
    const strange = unknown.filter((cid) => !lent.has(cid));
    const asked = (await rootFacts(node, strange, signal)).values();
    for (const [at, { cid, name }] of pins.entries()) {
      if (lent.has(cid)) continue;
      const found = known[at] === undefined ? asked.next().value : undefined;
      const bytes = known[at] ?? found?.bytes ?? 0;
      const named = name === "" ? {} : { name };
      yield { cid, copy: copyOf(cid, bytes), size: found?.size, ...named, cursor: keyOf(cid) };
    }
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
    if (waiting.length < describedTogether) continue;
    yield* describe(waiting);
    waiting = [];
  }
  yield* describe(waiting);
}

function keyOf(cid: string): string {
  return Buffer.from(cidToBytes(cid)).toString("base64url");
}

function unordered(cid: string): EngineError {
  return new EngineError("NOT_SUPPORTED", `the node lists its pins in no order (at ${cid})`, {
    hint: "use a datastore that is ordered by key for all but the blocks, as is the default",
  });
}
