import { parseCid } from "#content/cid.ts";
import { isCutAs } from "#content/dag-node.ts";
import { profileNamed } from "#content/profile.ts";
import { saidBy, unreadableDag } from "#drivers/kubo/kubo-error.ts";
import type { KuboNode } from "#drivers/kubo/kubo-node.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream, ReadOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * The bytes of a file that the node holds. Looks at its root first: what is no file of the object's
 * profile would be read to its end before that was seen.
 */
export async function* readFile(
  node: KuboNode,
  object: ObjectRef,
  { range, signal }: ReadOptions,
): ByteStream {
  const { cid, size } = object;
  try {
    if (!(await seemsOfProfile(node, object, signal))) {
      throw new EngineError("NOT_SUPPORTED", `${cid} seems to be no file of ${object.profile}`);
    }
    yield* await node.file(cid, range ?? { start: 0, end: size }, signal);
  } catch (thrown) {
    const error = EngineError.from(unreadableDag(thrown, cid));
    if (error.code !== "FORBIDDEN") throw error;
    // Who may not read files and blocks (API.Authorizations) may read CARs.
    throw new EngineError("NOT_SUPPORTED", error.message, { cause: error });
  }
}

async function seemsOfProfile(
  node: KuboNode,
  { cid: text, profile }: ObjectRef,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const cid = parseCid(text);
  try {
    return isCutAs({ cid, bytes: await node.block(text, signal) }, profileNamed(profile));
  } catch (thrown) {
    // The blocks tell what is wrong.
    const error = EngineError.from(thrown);
    if (error.code === "CORRUPT" || saidBy(error) !== undefined) return false;
    throw error;
  }
}
