import { parseCid } from "#content/cid.ts";
import type { Form } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";

/** Where one stored form of an object lies, relative to the root of the store. */
export interface ObjectFile {
  readonly shard: string;
  readonly name: string;
  readonly form: Form;
}

/** Names longer than this could exceed what file systems allow (255 bytes with suffix). */
const nameLengthMax = 200;
const carSuffix = ".car";

/** A copy asks for its files some ten times, in quick succession. */
const recentMax = 1_000;
const recent = new Map<string, ObjectFile>();

/**
 * The file for an object. The name is made from the parsed CID, never from the text that came
 * in, so no text can lead outside the store. The shard is the end of the digest: evenly spread
 * over 4,096 folders, hence some 2,500 files in each at ten million objects.
 */
export function objectFile(cidText: string, form: Form): ObjectFile {
  const known = form === "file" ? recent.get(cidText) : undefined;
  if (known !== undefined) return known;
  const file = fileOf(cidText, form);
  if (form !== "file") return file;
  if (recent.size === recentMax) recent.clear();
  recent.set(cidText, file);
  return file;
}

function fileOf(cidText: string, form: Form): ObjectFile {
  const cid = parseCid(cidText);
  const name = cid.toString();
  if (name.length > nameLengthMax) {
    throw new EngineError("NOT_SUPPORTED", `CID of ${name.length} characters is too long to store`);
  }
  const digest = cid.multihash.digest;
  const tail = ((digest.at(-2) ?? 0) << 8) | (digest.at(-1) ?? 0);
  const shard = (tail & 0xfff).toString(16).padStart(3, "0");
  return { shard, name: form === "car" ? name + carSuffix : name, form };
}

/** What a file in a shard holds, or undefined for a file that is not ours. */
export function parseObjectFile(
  shard: string,
  name: string,
): { cid: string; form: Form } | undefined {
  const form: Form = name.endsWith(carSuffix) ? "car" : "file";
  const cid = form === "car" ? name.slice(0, -carSuffix.length) : name;
  try {
    const file = objectFile(cid, form);
    return file.shard === shard && file.name === name ? { cid, form } : undefined;
  } catch {
    return undefined;
  }
}
