import { stopOf } from "#jobs/step-context.ts";
import { blame, type TransferFault } from "#jobs/transfer-fault.ts";
import { confidences, type Confidence, type Evidence } from "#model/copy.ts";
import type { Form, ObjectRef, StoredCopy } from "#model/copy.ts";
import type {
  ByteStream,
  CallOptions,
  Driver,
  DriverCapabilities,
  LeftBytes,
  OnPart,
  VerifyOptions,
  WriteOptions,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { SinglePiece, singlePieceMax } from "#model/single-piece.ts";

/** A backend, as one side of a movement. */
export interface Place {
  readonly backend: string;
  readonly driver: Driver;
}

/** Bytes on their way to a backend, already known or being verified to be those of the object. */
export interface Delivery {
  readonly form: Form;
  readonly bytes: number | undefined;
  /** With `left`, the beginning comes from there, and only the rest from the source. */
  readonly open: (left?: LeftBytes) => ByteStream | Promise<ByteStream>;
  /** Whether `open` heeds `left`. */
  readonly resumes?: boolean;
  /** As in `WriteOptions`. */
  readonly onPart?: OnPart;
}

export interface Delivered {
  readonly copy: StoredCopy;
  /** The target's own check, at the strongest level it can reach. */
  readonly evidence: Evidence;
  /** False when the target already held an intact copy. */
  readonly moved: boolean;
}

/**
 * Brings verified bytes to a backend and has it prove what it stored. A copy that is there and
 * looks intact stays, and the bytes are never opened; when its check fails, it is replaced.
 * Errors carry the fault of the target (transferFault), unless the bytes themselves ended with
 * an error.
 */
export async function deliver(
  object: ObjectRef,
  delivery: Delivery,
  target: Place,
  call: CallOptions,
): Promise<Delivered> {
  const first = await write(object, delivery, target, { ...call, replace: false });
  const written = (copy: StoredCopy): VerifyOptions => ({ ...call, written: copy });
  const look = first.moved ? written(first.copy) : call;
  const evidence = await at(target, () => strongestCheck(object, target, look));
  if (evidence.finding === "present") return { ...first, evidence };
  if (first.moved) throw notStored(object, target.backend, evidence);
  const second = await write(object, delivery, target, { ...call, replace: true });
  const proof = await at(target, () => strongestCheck(object, target, written(second.copy)));
  if (proof.finding !== "present") throw notStored(object, target.backend, proof);
  return { ...second, evidence: proof };
}

/** `moved` tells whether the driver asked for the bytes. */
async function write(
  object: ObjectRef,
  { form, bytes, open, resumes = false, onPart }: Delivery,
  target: Place,
  options: WriteOptions,
): Promise<{ readonly copy: StoredCopy; readonly moved: boolean }> {
  let moved = false;
  let ended = false;
  let failure: EngineError | undefined;
  const failed = (thrown: unknown): EngineError => {
    failure = EngineError.from(thrown);
    return failure;
  };
  async function* pieces(left?: LeftBytes): ByteStream {
    moved = true;
    try {
      yield* await open(left);
      ended = true;
    } catch (thrown) {
      throw failed(thrown);
    }
  }
  async function whole(): Promise<Uint8Array> {
    moved = true;
    try {
      const bytes = await allOf(await open());
      ended = true;
      return bytes;
    } catch (thrown) {
      throw failed(thrown);
    }
  }
  try {
    // Files are checked for their size on the way, so what is announced as small is small.
    const small = form === "file" && bytes !== undefined && bytes <= singlePieceMax;
    const stream = small ? new SinglePiece(whole) : pieces();
    const body = { form, bytes, stream, ...(resumes && { resume: pieces }) };
    // What is paused, shut down or out goes on later; only what is cancelled does not.
    const resumable = () => options.signal === undefined || stopOf(options.signal) !== "cancel";
    const written = { ...options, resumable, ...(onPart && { onPart }) };
    const copy = await at(target, () => target.driver.write(object, body, written));
    return { copy, moved };
  } catch (thrown) {
    // Drivers may wrap what their input threw: the bytes are the cause, whatever they call it.
    if (failure !== undefined) throw failure;
    // Of a file only its end tells whether it is right; blocks are checked one by one.
    const error = EngineError.from(thrown);
    if (error.code !== "CORRUPT" || !moved || !(ended || form !== "file")) throw thrown;
    throw arrivedDamaged(object, target.backend, error);
  }
}

/** The bytes of a stream that is known to be short. */
async function allOf(stream: ByteStream): Promise<Uint8Array> {
  if (stream instanceof SinglePiece) return stream.take();
  const pieces = await Array.fromAsync(stream);
  return pieces[0] !== undefined && pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

/** Has a backend check its copy as strongly as its driver can. */
export function strongestCheck(
  object: ObjectRef,
  { driver }: Place,
  call: VerifyOptions,
): Promise<Evidence> {
  return driver.verify(object, strongestLevel(driver.capabilities), call);
}

/** The strongest confidence that a driver's checks can reach. */
function strongestLevel(capabilities: DriverCapabilities): Confidence {
  const reachable = confidences.filter((level) => capabilities.confidence.includes(level));
  return reachable.at(-1) ?? "claimed";
}

async function at<Result>(target: Place, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (thrown) {
    const { backend } = target;
    throw blame(EngineError.from(thrown), { side: "target", backend, evidence: undefined });
  }
}

/**
 * Judges the failures of one object, try by try: what its target refused as damaged is sent once
 * more. What it refuses again is so by its nature, and the target's own words say why.
 */
export function refusedTwice(): (failure: EngineError) => EngineError {
  let refused = false;
  return (failure) => {
    const { cause, details } = failure;
    if (details["arrivedDamaged"] !== true || !(cause instanceof EngineError)) return failure;
    if (refused) return cause;
    refused = true;
    return failure;
  };
}

/** What left here was right, so the link to the target may have damaged it: it is sent again. */
function arrivedDamaged(object: ObjectRef, backend: string, failure: EngineError): EngineError {
  const message = `${backend}: ${object.cid} did not arrive as it was sent (${failure.message})`;
  const fault: TransferFault = { side: "target", backend, evidence: undefined };
  return new EngineError("UNAVAILABLE", message, {
    hint: `if this repeats, check the connection to the backend ${backend}`,
    details: { cid: object.cid, transfer: fault, arrivedDamaged: true },
    cause: failure,
  });
}

/** Retryable: a next try finds the bad copy and replaces it. */
function notStored(object: ObjectRef, backend: string, evidence: Evidence): EngineError {
  const found = evidence.finding === "absent" ? "is not there" : "is corrupt";
  const message = `${backend}: ${object.cid} ${found} right after it was written`;
  const fault: TransferFault = { side: "target", backend, evidence };
  return new EngineError("CORRUPT", `${message} (${evidence.method})`, {
    retryable: true,
    hint: `check the disk or service behind the backend ${backend}`,
    details: { cid: object.cid, transfer: fault },
  });
}
