import { canonicalCid } from "#content/cid.ts";
import type { Form, ObjectRef } from "#model/copy.ts";

/** What names of CARs end with. */
export const carSuffix = ".car";

/** The key of one stored form of an object. Made from the parsed CID, never from raw text. */
export function objectKey(prefix: string, cid: string, form: Form): string {
  return `${prefix}${canonicalCid(cid)}${form === "car" ? carSuffix : ""}`;
}

/** What a key holds, or undefined for a key that is not ours. */
export function parseObjectKey(
  prefix: string,
  key: string,
): { readonly cid: string; readonly form: Form } | undefined {
  const name = key.slice(prefix.length);
  const form: Form = name.endsWith(carSuffix) ? "car" : "file";
  const cid = form === "car" ? name.slice(0, -carSuffix.length) : name;
  try {
    return key.startsWith(prefix) && canonicalCid(cid) === cid ? { cid, form } : undefined;
  } catch {
    return undefined;
  }
}

/** Kept with each object, so that an inventory can be rebuilt from the bucket alone. */
export function objectMetadata(object: ObjectRef, form: Form): Readonly<Record<string, string>> {
  const { cid, size, profile } = object;
  return { cid, size: String(size), profile, form };
}
