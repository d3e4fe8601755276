import { canonicalCid } from "#content/cid.ts";
import { convertForm } from "#content/convert-form.ts";
import { profileNamed } from "#content/profile.ts";
import type { EngineContext } from "#engine/context.ts";
import { deliveredCopy, leftOut } from "#jobs/index-feed.ts";
import { storeContent } from "#jobs/store-content.ts";
import type { ObjectRef, Tier } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import type { ObjectSummary } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { withName } from "#model/storage-name.ts";
import type { KeptFact, StoredObject, StoreObjectRequest } from "#model/object-content.ts";

/** Where content goes when nobody says where: what is warm, before what is only a cache. */
const tiersByDefault: readonly Tier[] = ["hot", "warm", "cache", "cold", "archive"];

/** Stores what a caller hands in, has it checked at the backend, and enters it. */
export async function storeObject(
  context: EngineContext,
  request: StoreObjectRequest,
  bytes: ByteStream,
): Promise<StoredObject> {
  const { index, pool, now } = context;
  const { name: profile } = profileNamed(request.profile);
  const names = (request.names ?? []).map((name) => (name.startsWith("/") ? name : `/${name}`));
  const { type, collection, owner, tags = [], modified } = request;
  const object: ObjectRef = { cid: canonicalCid(request.cid), size: request.size, profile };
  const known = await knownObject(context, object);
  const backend = request.backend ?? (await chooseBackend(context));
  const target = { backend, driver: await pool.driver(backend) };
  const open = (form: ObjectForm): ByteStream => convertForm(bytes, request.form, form, object);
  const named = withName(object, { collection: collection ?? null, path: names[0] ?? null });
  const content = { object: named, form: request.form, open };
  const delivered = await storeContent(content, target, {});
  const times = {
    created: undefined,
    modified: modified === undefined ? undefined : new Date(modified),
  };
  const copies = [deliveredCopy(backend, delivered)];
  const entry = { ...object, names, type, collection, owner, tags, ...times, copies };
  const { added, beingDeleted } = await index.putObjects([entry], now());
  const [deletion] = beingDeleted;
  if (deletion !== undefined) throw leftOut(names[0] ?? object.cid, deletion);
  const { copy, evidence, moved } = delivered;
  return {
    cid: object.cid,
    size: object.size,
    backend,
    form: copy.form,
    bytes: copy.bytes,
    confidence: evidence.confidence,
    moved,
    added: added > 0,
    kept: known === undefined ? [] : keptFacts(known, request),
  };
}

/** An object may be in the collections of others: what they say of it is not overwritten. */
function keptFacts(known: ObjectSummary, request: StoreObjectRequest): readonly KeptFact[] {
  return (["collection", "owner"] as const).flatMap((fact) => {
    const [value, given] = [known[fact], request[fact]];
    const isKept = value !== undefined && given !== undefined && value !== given;
    return isKept ? [{ fact, value, given }] : [];
  });
}

type ObjectForm = Parameters<typeof convertForm>[2];

/** What the index knows of it. Another size is refused before anything is stored, not after. */
async function knownObject(
  { index, now }: EngineContext,
  object: ObjectRef,
): Promise<ObjectSummary | undefined> {
  const known = await index.findObject(object.cid).catch((thrown: unknown) => {
    const error = EngineError.from(thrown);
    if (error.code === "NOT_FOUND") return undefined;
    throw error;
  });
  if (known === undefined) return undefined;
  const detail = await index.objectDetail(known, now());
  if (detail.size === object.size) return detail;
  const message = `${object.cid} has ${detail.size} bytes in the index, ${object.size} were given`;
  throw new EngineError("CONFLICT", message, {
    retryable: false,
    hint: "one of the two is wrong: see `thermocline objects show` for where the object came from",
  });
}

async function chooseBackend({ index, watch }: EngineContext): Promise<string> {
  const impaired = new Set(
    watch.health().flatMap(({ backend, state }) => (state === "up" ? [] : [backend])),
  );
  const able = (await index.backends()).filter(
    ({ name, cordoned, capabilities }) =>
      !cordoned && capabilities.operations.includes("write") && !impaired.has(name),
  );
  const [first] = able.toSorted(
    (a, b) => tiersByDefault.indexOf(a.tier) - tiersByDefault.indexOf(b.tier),
  );
  if (first !== undefined) return first.name;
  throw new EngineError("UNAVAILABLE", "no backend takes new copies now", {
    hint: "see `thermocline backends`, or name one with --to",
  });
}
