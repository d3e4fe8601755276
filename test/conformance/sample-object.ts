import { expect } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import { defaultProfile } from "#content/profile.ts";
import { convertForm } from "#content/convert-form.ts";
import { type Confidence, confidences, type Form } from "#model/copy.ts";
import type { ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ByteStream, Driver, WriteBody } from "#model/driver.ts";
import type { RemovalPermit } from "#model/removal.ts";

/** An object together with its bytes. */
export interface Sample {
  readonly object: ObjectRef;
  readonly bytes: Uint8Array;
}

/** Reproducible bytes that do not compress; another seed gives other bytes. */
export function sample(size: number, seed = 1): Sample {
  const bytes = new Uint8Array(size);
  // xorshift32: fast, and the same everywhere.
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let at = 0; at < size; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 0xff;
  }
  return { object: { ...addressBytes(bytes, defaultProfile), profile: defaultProfile }, bytes };
}

/** The bytes as a stream of pieces. */
export async function* pieces(bytes: Uint8Array, pieceBytes = 64 * 1024): ByteStream {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** A body of form `file` that announces its size. */
export function fileBody({ bytes }: Sample, pieceBytes?: number): WriteBody {
  return { form: "file", bytes: bytes.length, stream: pieces(bytes, pieceBytes) };
}

/** The form in which a driver is given files: as they are, where it stores them so. */
export function formFor({ capabilities: { forms } }: Pick<Driver, "capabilities">): Form {
  const [preferred = "file"] = forms;
  return forms.includes("file") ? "file" : preferred;
}

/** What a listing may say of the size of content: of what is no plain file it may say nothing. */
export function sizesOf(form: Form, size: number): readonly (number | undefined)[] {
  return form === "file" ? [size] : [undefined, size];
}

/** A body that a driver stores, made of the bytes of a file. */
export function bodyOf(
  driver: Pick<Driver, "capabilities">,
  { object }: Pick<Sample, "object">,
  stream: ByteStream,
  bytes: number | undefined,
): WriteBody {
  const form = formFor(driver);
  if (form === "file") return { form, bytes, stream };
  return { form, bytes: undefined, stream: convertForm(stream, "file", form, object) };
}

/** The whole sample, in a form that the driver stores; its size is announced if it is a file. */
export function bodyFor(
  driver: Pick<Driver, "capabilities">,
  stored: Sample,
  pieceBytes?: number,
): WriteBody {
  const { bytes } = stored;
  return bodyOf(driver, stored, pieces(bytes, pieceBytes), bytes.length);
}

/** The bytes of the file that a driver gives back, in whatever form it keeps it. */
export async function fileFrom(
  driver: Driver,
  { object }: Pick<Sample, "object">,
  copy: StoredCopy,
): Promise<Buffer> {
  const stream = await driver.read(object, copy);
  if (copy.form === "file") return await collect(stream);
  return await collect(convertForm(stream, copy.form, "file", object));
}

/** Whether a driver declares that it gives back what it holds. */
export function isReadable({ capabilities }: Pick<Driver, "capabilities">): boolean {
  return capabilities.operations.includes("read");
}

/** The strongest check that a driver declares. */
export function strongest({ capabilities }: Pick<Driver, "capabilities">): Confidence {
  const declared = confidences.filter((level) => capabilities.confidence.includes(level));
  return declared.at(-1) ?? "claimed";
}

/** Has a driver show that it holds a file: byte for byte where it gives it back. */
export async function expectStored(
  driver: Driver,
  stored: Sample,
  copy: StoredCopy,
): Promise<void> {
  if (isReadable(driver)) {
    expect((await fileFrom(driver, stored, copy)).equals(stored.bytes)).toBe(true);
  }
  const evidence = await driver.verify(stored.object, strongest(driver));
  expect(evidence).toMatchObject({ finding: "present" });
}

/** Leave to remove a copy, as the writer of the index would give it. */
export function permit(object: ObjectRef, backend: string): RemovalPermit {
  return {
    id: "permit-1",
    ...object,
    objectId: 1,
    backend,
    reserved: [],
    authority: "delete",
    issuedAt: "2026-01-01T00:00:00Z",
    expiresAt: "2026-01-01T01:00:00Z",
  };
}

/** All bytes of a stream. */
export async function collect(stream: ByteStream): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream));
}
