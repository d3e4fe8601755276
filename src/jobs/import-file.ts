import { basename } from "node:path";
import { addressBytes, addressFile } from "#content/address-file.ts";
import { profileNamed } from "#content/profile.ts";
import { verifyFile } from "#content/verify-file.ts";
import { convertForm } from "#content/convert-form.ts";
import type { Delivered, Place } from "#jobs/deliver.ts";
import type { Gate } from "#jobs/gate.ts";
import type { ImportGroups } from "#jobs/import-groups.ts";
import { LocalFile } from "#jobs/local-file.ts";
import { mediaType } from "#jobs/media-type.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import { storeContent } from "#jobs/store-content.ts";
import { blame, transferFault } from "#jobs/transfer-fault.ts";
import type { Form, ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { type NameFacts, withName } from "#model/storage-name.ts";
import { SinglePiece } from "#model/single-piece.ts";

/** Files up to this size are read whole, once; larger ones are read twice (see below). */
const smallFileBytesMax = 1024 * 1024;

export interface ImportedFile {
  readonly object: ObjectRef;
  readonly type: string | undefined;
  readonly created: Date | undefined;
  readonly modified: Date;
  /** Undefined in a dry run. */
  readonly delivered: Delivered | undefined;
  /** Whether the target held it before. */
  readonly known: boolean;
}

export interface ImportFileOptions {
  /** What the index will call it. */
  readonly name: NameFacts;
  readonly profile: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Only so many large files pass at once: each has several pieces in memory. */
  readonly largeFiles: Gate;
  /** Only so many are stored at once, each alone. */
  readonly alone: Gate;
  readonly groups: ImportGroups;
}

/**
 * Stores one local file at a backend. The CID of a large file is known only after all of it was
 * read, and a driver wants the CID first: so it is read once for the CID and once to be stored,
 * verified on the way, which also shows when something wrote to it in between.
 *
 * Throws with the fault of the target (transferFault) when it was the target that failed; any
 * other error is this file's own.
 */
export async function importFile(
  path: string,
  target: Place,
  options: ImportFileOptions,
): Promise<ImportedFile> {
  using file = LocalFile.open(path);
  using _ = file.size > smallFileBytesMax ? await options.largeFiles.enter() : undefined;
  const content = isRead(file, options) ? wholeOf(file, options) : await hashed(file, options);
  const { object } = content;
  const facts = {
    object,
    type: mediaType(basename(path), file.size),
    created: file.created,
    modified: file.modified,
  };
  if (options.dryRun) {
    const found = await lookAt(target, object, options.signal);
    return { ...facts, delivered: undefined, known: found !== undefined };
  }
  const delivered =
    (await storeInGroup(content, options)) ?? (await storeAlone(content, file, target, options));
  return { ...facts, delivered, known: !delivered.moved };
}

async function storeInGroup(
  { object, bytes }: Content,
  { groups, name }: ImportFileOptions,
): Promise<Delivered | undefined> {
  return bytes && (await groups.store(withName(object, name), bytes));
}

async function storeAlone(
  content: Content,
  file: LocalFile,
  target: Place,
  options: ImportFileOptions,
): Promise<Delivered> {
  using _ = await options.alone.enter();
  try {
    return await runWithRetries(() => store(content, target, options), options);
  } catch (thrown) {
    const error = EngineError.from(thrown);
    // The second reading found other bytes than the first. What is in memory was read once, and closed.
    const wasReadTwice = content.bytes === undefined;
    if (wasReadTwice && !transferFault(error) && error.code === "CORRUPT") file.checkUnchanged();
    throw error;
  }
}

interface Content {
  readonly object: ObjectRef;
  /** All of them, where they are in memory. */
  readonly bytes?: Uint8Array;
  /** The bytes from their start, each time it is called. */
  open(): ByteStream;
}

/** Whether a file is held in memory while it is stored. */
function isRead({ size }: LocalFile, { profile }: ImportFileOptions): boolean {
  return size <= Math.min(smallFileBytesMax, profileNamed(profile).chunkBytes);
}

function wholeOf(file: LocalFile, { profile }: ImportFileOptions): Content {
  const bytes = file.bytes();
  // Hundreds of small files may wait to be stored.
  file.close();
  const object = { ...addressBytes(bytes, profile), profile };
  return { object, bytes, open: () => new SinglePiece(() => bytes) };
}

async function hashed(file: LocalFile, { profile, signal }: ImportFileOptions): Promise<Content> {
  const object = { ...(await addressFile(stoppable(file.stream(), signal), profile)), profile };
  file.checkUnchanged();
  return { object, open: () => verifyFile(file.stream(), object) };
}

async function lookAt(
  target: Place,
  object: ObjectRef,
  signal: AbortSignal,
): Promise<StoredCopy | undefined> {
  try {
    return await target.driver.stat(object, { signal });
  } catch (thrown) {
    const { backend } = target;
    throw blame(EngineError.from(thrown), { side: "target", backend, evidence: undefined });
  }
}

function store(
  content: Content,
  target: Place,
  { signal, name }: ImportFileOptions,
): Promise<Delivered> {
  const object = withName(content.object, name);
  const open = (form: Form): ByteStream =>
    form === "file" ? content.open() : convertForm(content.open(), "file", form, object);
  return storeContent({ object, form: "file", open }, target, { signal });
}

async function* stoppable(stream: ByteStream, signal: AbortSignal): ByteStream {
  for await (const bytes of stream) {
    signal.throwIfAborted();
    yield bytes;
  }
}
