import { isNoFile } from "#content/car-to-file.ts";
import { convertForm } from "#content/convert-form.ts";
import { checksInPassing } from "#content/verify-stream.ts";
import { copyWithin } from "#jobs/copy-within.ts";
import { deliver, strongestCheck, type Delivered, type Place } from "#jobs/deliver.ts";
import { blame, transferFault, type TransferFault } from "#jobs/transfer-fault.ts";
import type { Form, ObjectRef, StoredCopy } from "#model/copy.ts";
import type {
  ByteStream,
  CallOptions,
  DriverCapabilities,
  LeftBytes,
  OnPart,
  ReadOptions,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { SinglePiece } from "#model/single-piece.ts";

export { transferFault, type TransferFault };

/** For less, blocks are as quick, and nothing is gone on with. */
const asFileBytesMin = 4 * 1024 * 1024;

export interface TransferSource extends Place {
  readonly copy: StoredCopy;
}

export interface TransferOptions extends CallOptions {
  /**
   * Hears of bytes that go to the target: of those that were sent, where its driver tells; else of each
   * piece, which waits for it.
   */
  readonly onBytes?: (bytes: number) => void | Promise<void>;
  /** Hears of bytes that the target has of an earlier try, which are not sent. */
  readonly onResumed?: (bytes: number) => void;
}

export interface Transferred extends Delivered {
  /** Bytes that were written to the target. */
  readonly bytes: number;
  /** Bytes that were there of an earlier try, and were not sent again. */
  readonly resumed: number;
}

/**
 * Makes one copy of an object at the target and proves it. Looks first: an intact copy stays, a
 * corrupt one is replaced. The bytes are verified (and brought into a form the target stores)
 * while they pass, and the copy counts only after the target's own check. Where one service holds
 * both ends it copies within itself. Doing it twice, or
 * from two nodes at once, has the effect of doing it once.
 *
 * Throws `EngineError` with the code of what went wrong; `transferFault` tells at which side, so
 * that the caller can try another source and have the finding recorded.
 */
export async function transfer(
  object: ObjectRef,
  source: TransferSource,
  target: Place,
  options: TransferOptions = {},
): Promise<Transferred> {
  const call: CallOptions = options.signal ? { signal: options.signal } : {};
  const within = await copyWithin(object, source, target, call);
  if (within !== undefined) {
    await options.onBytes?.(within.copy.bytes);
    return { ...within, bytes: within.copy.bytes, resumed: 0 };
  }
  const { forms } = target.driver.capabilities;
  const form = formFor(source.copy.form, target.driver.capabilities);
  try {
    return await transferAs(form, object, source, target, options);
  } catch (thrown) {
    // Directories and other data are no files, which only their blocks tell.
    const isOther = form === "file" && forms.includes("car") && isNoFile(EngineError.from(thrown));
    if (!isOther) throw thrown;
    return await transferAs("car", object, source, target, options);
  }
}

async function transferAs(
  form: Form,
  object: ObjectRef,
  source: TransferSource,
  target: Place,
  options: TransferOptions,
  asFile = form === "file" && givesFile(source, object),
): Promise<Transferred> {
  const call: CallOptions = options.signal ? { signal: options.signal } : {};
  const known = form === source.copy.form ? source.copy.bytes : undefined;
  const from = asFile ? "file" : source.copy.form;
  const passes = form === from && checksInPassing(form, object);
  const reuse = passes && target.driver.releasesPieces === true;
  const counts = new Counts(options);
  const { tellsParts = false } = target.driver;
  /** Bytes that came from the source. */
  let read = 0;
  let started = false;
  /** Bytes to come that were at the target already. */
  let held = 0;
  const resumed = { used: false, failed: false, sourceFailed: false };
  const pass = async (piece: Uint8Array): Promise<Uint8Array> => {
    const moved = Math.max(0, piece.length - held);
    held -= piece.length - moved;
    read += moved;
    if (!tellsParts) await counts.add("sent", moved);
    await counts.add("there", piece.length - moved);
    return piece;
  };
  async function open(left?: LeftBytes): Promise<ByteStream> {
    started = true;
    held = left?.bytes ?? 0;
    const stored =
      left === undefined
        ? await source.driver.read(object, source.copy, { ...call, reuse, asFile })
        : after(left, () => readRest(object, source, left.bytes, { ...call, asFile }), resumed);
    const verified = convertForm(stored, from, form, object, "store");
    return verified instanceof SinglePiece ? verified.through(pass) : each(verified, pass);
  }
  const onPart: OnPart = (what, done) => void counts.add(what, done);
  const send = async (resumes: boolean): Promise<Delivered> => {
    const delivery = { form, bytes: form === "file" ? object.size : known, open, resumes };
    return deliver(object, { ...delivery, onPart }, target, call);
  };
  const resumes = passes && form === "file" && (asFile || givesRanges(source, object));
  try {
    const delivered = await send(resumes).catch((thrown: unknown) => {
      if (!resumed.used || resumed.sourceFailed) throw thrown;
      const { code } = EngineError.from(thrown);
      // It cannot be read, it is damaged, or the disk has no room for it twice.
      const noRoom = code === "NO_SPACE" && read === 0;
      if (!resumed.failed && code !== "CORRUPT" && !noRoom) throw thrown;
      return send(false);
    });
    return { ...delivered, bytes: counts.sent, resumed: counts.there };
  } catch (thrown) {
    const error = EngineError.from(thrown);
    if (transferFault(error) || !started) throw error;
    // It is cut in another way than its profile says, or damaged: its blocks tell.
    const doubtful = error.code === "NOT_SUPPORTED" || error.code === "CORRUPT";
    if (asFile && doubtful) return await transferAs(form, object, source, target, options, false);
    throw await sourceFault(object, source, error, call);
  }
}

/** What of an object was sent, and what was at the target already. */
class Counts {
  sent = 0;
  there = 0;
  readonly #options: TransferOptions;

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  async add(what: "sent" | "there", bytes: number): Promise<void> {
    if (bytes === 0) return;
    this[what] += bytes;
    const { onBytes, onResumed } = this.#options;
    if (what === "sent") await onBytes?.(bytes);
    else onResumed?.(bytes);
  }
}

/** Whether blocks can be read as the file that they make, from any of its bytes on. */
function givesFile({ driver, copy }: TransferSource, { size }: ObjectRef): boolean {
  return copy.form === "dag" && driver.readsFiles === true && size >= asFileBytesMin;
}

/** Whether a file can be read from any of its bytes on. */
function givesRanges({ driver, copy }: TransferSource, { size }: ObjectRef): boolean {
  return driver.capabilities.ranges === "bytes" && copy.form === "file" && copy.bytes === size;
}

function readRest(
  object: ObjectRef,
  { driver, copy }: TransferSource,
  start: number,
  options: ReadOptions,
): Promise<ByteStream> {
  return driver.read(object, copy, { ...options, range: { start, end: object.size } });
}

/** What was left at the target, and then the rest: all of it is checked together. */
async function* after(
  left: LeftBytes,
  openRest: () => Promise<ByteStream>,
  noted: { used: boolean; failed: boolean; sourceFailed: boolean },
): ByteStream {
  noted.used = true;
  try {
    yield* left.stream;
  } catch (thrown) {
    noted.failed = true;
    throw thrown;
  }
  try {
    yield* await openRest();
  } catch (thrown) {
    noted.sourceFailed = true;
    throw thrown;
  }
}

async function* each(
  stream: ByteStream,
  pass: (piece: Uint8Array) => Promise<Uint8Array>,
): ByteStream {
  for await (const piece of stream) yield await pass(piece);
}

/**
 * What to say of a failed reading, with the fault of the source (transferFault). Asks the source
 * itself before its copy is called corrupt or absent: bytes that were damaged or cut off on the way must
 * not cost the reputation of an intact copy.
 */
export async function sourceFault(
  object: ObjectRef,
  source: TransferSource,
  failure: EngineError,
  call: CallOptions,
): Promise<EngineError> {
  const { backend } = source;
  const doubtful = failure.code === "CORRUPT" || failure.code === "NOT_FOUND";
  const asked = doubtful ? strongestCheck(object, source, call) : undefined;
  const evidence = await asked?.catch(() => undefined);
  const fault: TransferFault = { side: "source", backend, evidence };
  if (evidence?.finding !== "present") return blame(failure, fault);
  const message = `${backend}: ${object.cid} is intact there but did not arrive so`;
  return new EngineError("UNAVAILABLE", `${message} (${failure.message})`, {
    hint: `if this repeats, check the connection to the backend ${backend}`,
    details: { cid: object.cid, transfer: fault },
    cause: failure,
  });
}

/** The form of the source when the target stores it, else the target's preferred one. */
function formFor(source: Form, { forms }: DriverCapabilities): Form {
  const [preferred] = forms;
  return forms.includes(source) || preferred === undefined ? source : preferred;
}
