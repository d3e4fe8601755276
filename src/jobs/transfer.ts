import { convertForm } from "#content/convert-form.ts";
import { confidences, type Confidence, type Evidence } from "#model/copy.ts";
import type { Form, ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ByteStream, CallOptions, Driver, DriverCapabilities } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

export interface TransferSource {
  readonly backend: string;
  readonly driver: Driver;
  readonly copy: StoredCopy;
}

export interface TransferTarget {
  readonly backend: string;
  readonly driver: Driver;
}

export interface TransferOptions extends CallOptions {
  /** Called with the bytes of each piece that goes to the target; may throttle by waiting. */
  readonly onBytes?: (bytes: number) => void | Promise<void>;
}

export interface Transferred {
  readonly copy: StoredCopy;
  /** The target's own check, at the strongest level it can reach. */
  readonly evidence: Evidence;
  /** False when the target already held an intact copy. */
  readonly moved: boolean;
  /** Bytes that were written to the target. */
  readonly bytes: number;
}

/** Whose fault a failed transfer was, and what the index should learn from it. */
export interface TransferFault {
  readonly side: "source" | "target";
  readonly backend: string;
  /** What that backend's own check found after the failure; undefined when none was made. */
  readonly evidence: Evidence | undefined;
}

/**
 * Makes one copy of an object at the target and proves it. Looks first: an intact copy stays, a
 * corrupt one is replaced. The bytes are verified (and brought into a form the target stores)
 * while they pass, and the copy counts only after the target's own check. Doing it twice, or
 * from two nodes at once, has the effect of doing it once.
 *
 * Throws `EngineError` with the code of what went wrong; `transferFault` tells at which side, so
 * that the caller can try another source and have the finding recorded.
 */
export async function transfer(
  object: ObjectRef,
  source: TransferSource,
  target: TransferTarget,
  options: TransferOptions = {},
): Promise<Transferred> {
  const call: CallOptions = options.signal ? { signal: options.signal } : {};
  const before = await atTarget(target, () => target.driver.stat(object, call));
  if (before) {
    const evidence = await atTarget(target, () => check(object, target, call));
    if (evidence.finding === "present") {
      return { copy: before, evidence, moved: false, bytes: 0 };
    }
  }
  const form = formFor(source.copy.form, target.driver.capabilities);
  const body = new VerifiedBody(object, source, form, options);
  const known = form === source.copy.form ? source.copy.bytes : undefined;
  const write = { form, bytes: form === "file" ? object.size : known, stream: body.stream() };
  const replace = before !== undefined;
  const copy = await atTarget(target, () =>
    target.driver.write(object, write, { ...call, replace }),
  ).catch(async (thrown: unknown) => {
    // Drivers may wrap what their input threw: the cause is the source, whatever they call it.
    throw body.failure ? await sourceFault(object, source, body.failure, call) : thrown;
  });
  const evidence = await atTarget(target, () => check(object, target, call));
  if (evidence.finding !== "present") throw notStored(object, target.backend, evidence);
  return { copy, evidence, moved: true, bytes: body.bytes };
}

/** Which side a transfer failed at; undefined for errors that are nobody's (cancelled). */
export function transferFault(error: EngineError): TransferFault | undefined {
  const { transfer: fault } = error.details as { readonly transfer?: TransferFault };
  return fault;
}

/** The strongest check a driver can do. */
export function strongestCheck(capabilities: DriverCapabilities): Confidence {
  const reachable = confidences.filter((level) => capabilities.confidence.includes(level));
  return reachable.at(-1) ?? "claimed";
}

/** The source as a body: opened when the target asks, verified, counted; remembers its failure. */
class VerifiedBody {
  bytes = 0;
  failure: EngineError | undefined;
  readonly #object: ObjectRef;
  readonly #source: TransferSource;
  readonly #form: Form;
  readonly #options: TransferOptions;

  constructor(object: ObjectRef, source: TransferSource, form: Form, options: TransferOptions) {
    this.#object = object;
    this.#source = source;
    this.#form = form;
    this.#options = options;
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    const verified = this.#verified();
    for await (const bytes of verified) {
      this.bytes += bytes.length;
      await this.#options.onBytes?.(bytes.length);
      yield bytes;
    }
  }

  async *#verified(): ByteStream {
    const { driver, copy } = this.#source;
    const { signal } = this.#options;
    try {
      const stored = await driver.read(this.#object, copy, signal ? { signal } : {});
      yield* convertForm(stored, copy.form, this.#form, this.#object);
    } catch (thrown) {
      this.failure = EngineError.from(thrown);
      throw this.failure;
    }
  }
}

/**
 * Asks the source itself before its copy is called corrupt or absent: bytes that were damaged
 * or cut off on the way must not cost the reputation of an intact copy.
 */
async function sourceFault(
  object: ObjectRef,
  source: TransferSource,
  failure: EngineError,
  call: CallOptions,
): Promise<EngineError> {
  const { backend } = source;
  const doubtful = failure.code === "CORRUPT" || failure.code === "NOT_FOUND";
  const asked = doubtful ? check(object, source, call).catch(() => undefined) : undefined;
  const evidence = await asked;
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

function check(object: ObjectRef, at: TransferTarget, call: CallOptions): Promise<Evidence> {
  return at.driver.verify(object, strongestCheck(at.driver.capabilities), call);
}

async function atTarget<Result>(
  target: TransferTarget,
  act: () => Promise<Result>,
): Promise<Result> {
  try {
    return await act();
  } catch (thrown) {
    const { backend } = target;
    throw blame(EngineError.from(thrown), { side: "target", backend, evidence: undefined });
  }
}

/** Names the backend in front of the message, once. */
function blame(error: EngineError, fault: TransferFault): EngineError {
  if (error.code === "CANCELLED" || transferFault(error)) return error;
  const { code, retryable, retryAfterMs, hint, details } = error;
  return new EngineError(code, `${fault.backend}: ${error.message}`, {
    retryable,
    details: { ...details, transfer: fault },
    cause: error,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(hint !== undefined && { hint }),
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
