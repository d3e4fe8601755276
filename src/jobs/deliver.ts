import { blame, type TransferFault } from "#jobs/transfer-fault.ts";
import { confidences, type Confidence, type Evidence } from "#model/copy.ts";
import type { Form, ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ByteStream, CallOptions, Driver, DriverCapabilities } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** A backend, as one side of a movement. */
export interface Place {
  readonly backend: string;
  readonly driver: Driver;
}

/** Bytes on their way to a backend, already known or being verified to be those of the object. */
export interface Delivery {
  readonly form: Form;
  readonly bytes: number | undefined;
  open(): ByteStream;
}

export interface Delivered {
  readonly copy: StoredCopy;
  /** The target's own check, at the strongest level it can reach. */
  readonly evidence: Evidence;
  /** False when the target already held an intact copy. */
  readonly moved: boolean;
}

/**
 * Brings verified bytes to a backend and has it prove what it stored. Looks first: an intact
 * copy stays and the bytes are never opened, a corrupt one is replaced. Errors carry the fault
 * of the target (transferFault), unless the bytes themselves ended with an error.
 */
export async function deliver(
  object: ObjectRef,
  delivery: Delivery,
  target: Place,
  call: CallOptions,
): Promise<Delivered> {
  const before = await at(target, () => target.driver.stat(object, call));
  if (before) {
    const evidence = await at(target, () => strongestCheck(object, target, call));
    if (evidence.finding === "present") return { copy: before, evidence, moved: false };
  }
  const replace = before !== undefined;
  const { form, bytes } = delivery;
  let failure: EngineError | undefined;
  async function* stream(): ByteStream {
    try {
      yield* delivery.open();
    } catch (thrown) {
      failure = EngineError.from(thrown);
      throw failure;
    }
  }
  const copy = await at(target, () =>
    target.driver.write(object, { form, bytes, stream: stream() }, { ...call, replace }),
  ).catch((thrown: unknown) => {
    // Drivers may wrap what their input threw: the bytes are the cause, whatever they call it.
    throw failure ?? thrown;
  });
  const evidence = await at(target, () => strongestCheck(object, target, call));
  if (evidence.finding !== "present") throw notStored(object, target.backend, evidence);
  return { copy, evidence, moved: true };
}

/** Has a backend check its copy as strongly as its driver can. */
export function strongestCheck(
  object: ObjectRef,
  { driver }: Place,
  call: CallOptions,
): Promise<Evidence> {
  return driver.verify(object, strongestLevel(driver.capabilities), call);
}

/** The strongest confidence that a driver's checks can reach. */
export function strongestLevel(capabilities: DriverCapabilities): Confidence {
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
