import type { Form, ObjectRef } from "#model/copy.ts";
import { carSuffix, objectKey, parseObjectKey } from "#drivers/s3/object-key.ts";

/** Folder below the prefix with what this driver notes down of copies that have names. */
export const recordFolder = ".thermocline/";

/** S3 takes so many bytes of UTF-8; the longest record of a key stands before it. */
const keyBytesMax = 1_024 - Buffer.byteLength(`${recordFolder}by-key/`);
/** Services over a file system take no more between two slashes. */
const segmentBytesMax = 255;
/** Metadata of an object may have 2 KB, and the key is kept there in ASCII. */
const encodedBytesMax = 1_500;
const shortenedBytes = 180;
/** The first characters of CIDs are all alike. */
const cidCharacters = 12;

/**
 * Keys under which a copy may lie so that a person finds it, the best first: the name as it is,
 * the name with the end of the CID, and the CID, which is nobody else's. Nothing in a name leads out
 * of the prefix, into what is ours, or to the key of another object.
 */
export function readableKeys(prefix: string, object: ObjectRef, form: Form): readonly string[] {
  const plain = objectKey(prefix, object.cid, form);
  const segments = segmentsOf(object.name ?? "");
  const last = segments.at(-1);
  if (last === undefined) return [plain];
  const folders = segments.slice(0, -1);
  const mark = `~${object.cid.slice(-cidCharacters)}`;
  const marked = withMark(last, mark);
  const short = [...folders.map(shortened), withMark(shortened(last), mark)];
  const keys = [segments, [...folders, marked], short]
    .map((parts) => withForm(parts, form))
    .filter((parts) => parts.every((part) => Buffer.byteLength(part) <= segmentBytesMax))
    .map((parts) => prefix + parts.join("/"))
    .filter((key) => fits(key) && parseObjectKey(prefix, key) === undefined);
  // What had to be shortened stands beside nothing; what had not needs no short form.
  return [...new Set([...keys.slice(0, 2), plain])];
}

/** A key in ASCII, as it is kept in metadata. */
export function encodedKey(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}

/** What people called an object, as far as its key tells. */
export function nameOfKey(prefix: string, key: string, cid: string, form: Form): string {
  const path = key.slice(prefix.length);
  const bare = form === "car" && path.endsWith(carSuffix) ? path.slice(0, -carSuffix.length) : path;
  return decodeURIComponent(bare.replace(`~${cid.slice(-cidCharacters)}`, ""));
}

function fits(key: string): boolean {
  return Buffer.byteLength(key) <= keyBytesMax && encodedKey(key).length <= encodedBytesMax;
}

function segmentsOf(name: string): readonly string[] {
  const parts = name.toWellFormed().normalize("NFC").split("/");
  const kept = parts.filter((part) => part !== "").map(safeSegment);
  const [first = ""] = kept;
  const isOurs = first === "named" || `${first}/` === recordFolder;
  return isOurs ? [escaped(first.slice(0, 1)) + first.slice(1), ...kept.slice(1)] : kept;
}

/**
 * Escapes what XML answers, terminals and file systems do not take or show: control and format
 * characters (but those that join emoji), line ends, `\`, spaces at the ends, and `%` itself.
 */
function safeSegment(segment: string): string {
  if (/^\.{1,2}$/.test(segment)) return segment.replaceAll(".", "%2E");
  return segment.replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}\\%\uFFFE\uFFFF]|(?![\u200C\u200D])\p{Cf}|^\s+|\s+$/gu,
    escaped,
  );
}

/** Every byte of its UTF-8 as `%XX`. */
function escaped(text: string): string {
  return Buffer.from(text).toString("hex").toUpperCase().replaceAll(/../g, "%$&");
}

/** The mark goes before the ending, so that programs still know what kind of file it is. */
function withMark(segment: string, mark: string): string {
  const [, stem = segment, ending = ""] = /^(.+?)(\.[^.]{1,16})?$/s.exec(segment) ?? [];
  return stem + mark + ending;
}

function withForm(parts: readonly string[], form: Form): readonly string[] {
  const last = parts.at(-1) ?? "";
  return form === "car" && !last.endsWith(carSuffix)
    ? [...parts.slice(0, -1), last + carSuffix]
    : parts;
}

/** The beginning and the ending of a long segment, cut between characters and not in an escape. */
function shortened(segment: string): string {
  if (Buffer.byteLength(segment) <= shortenedBytes) return segment;
  const ending = /\.[^.]{1,16}$/.exec(segment)?.[0] ?? "";
  const room = shortenedBytes - Buffer.byteLength(ending);
  let kept = "";
  let bytes = 0;
  for (const [piece] of segment.matchAll(/%[0-9A-F]{2}|./gsu)) {
    bytes += Buffer.byteLength(piece);
    if (bytes > room) break;
    kept += piece;
  }
  // An escaped character may be cut between two of its bytes.
  return decodes(kept) ? kept + ending : kept.replace(/(%[89A-F][0-9A-F])+$/, "") + ending;
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
