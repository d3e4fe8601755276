import type { Evidence } from "#model/copy.ts";
import { isArchived, isThawing } from "#model/archived.ts";
import { EngineError } from "#model/engine-error.ts";
import { comesBack } from "#model/coming-back.ts";
import { reportedCopy, reportedEvidence } from "#model/reported-copy.ts";
import type { CopyOutcome } from "#model/run.ts";
import { refusedTwice } from "#jobs/deliver.ts";
import { throwIfOut } from "#jobs/backend-outage.ts";
import { countedRetries } from "#jobs/measured-action.ts";
import { type Endpoint, sourcesOf } from "#jobs/read-sources.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import type { StepContext } from "#jobs/step-context.ts";
import { transfer, transferFault, type TransferFault } from "#jobs/transfer.ts";

/**
 * Brings one object to the target of its batch: from the planned source, else from any other
 * backend that holds an intact copy. Throws only when stopped, when a backend is out, or when the
 * step should come back (`comesBack`): all that could be read lies in an archive and was asked
 * for, or the target is still fetching.
 */
export async function copyObject(
  action: SegmentAction,
  context: StepContext,
): Promise<{ readonly outcome: CopyOutcome; readonly bytes: number }> {
  const { sequence } = action;
  const target = endpoint(context, context.data.target);
  const findings: Evidence[] = [];
  const retries = countedRetries(context, target.backend);
  const judged = refusedTwice();
  const tryFrom = async (source: Endpoint): ReturnType<typeof transfer> => {
    try {
      return await copyFrom(action, source, target, context);
    } catch (thrown) {
      throw judged(EngineError.from(thrown));
    }
  };
  let first: EngineError | undefined;
  let archive: Endpoint | undefined;
  for (const source of sourcesOf(context)) {
    try {
      const done = await runWithRetries(() => tryFrom(source), retries);
      const { moved, bytes } = done;
      const { cid } = action.object;
      const copy = reportedCopy(done.copy, cid);
      const evidence = reportedEvidence(done.evidence, cid);
      const seen = findings.length === 0 ? {} : { findings };
      return { outcome: { sequence, outcome: "done", copy, evidence, moved, ...seen }, bytes };
    } catch (thrown) {
      context.signal.throwIfAborted();
      const error = EngineError.from(thrown);
      const fault = transferFault(error);
      if (fault?.side !== "source") {
        // The target, or something that another source would not change either.
        if (comesBack(error)) throw error;
        const { size } = action.object;
        await throwIfOut(target.backend, target.driver, error, true, size);
        return { outcome: failed(sequence, error, findings), bytes: 0 };
      }
      // Only the planned source was believed to hold a copy: what is wrong there, we tell.
      const planned = source.backend === context.data.source;
      if (planned && fault.evidence !== undefined) findings.push(fault.evidence);
      first ??= error;
      if (isArchived(error)) archive ??= source;
    }
  }
  if (archive !== undefined) {
    first = await askArchive(action, archive, context);
    if (isThawing(first)) throw first;
  }
  const planned = context.data.source ?? "";
  const driver = context.drivers.get(planned);
  if (first !== undefined && driver !== undefined) await throwIfOut(planned, driver, first, false);
  first ??= new EngineError("NOT_FOUND", `no backend of this node holds ${action.object.cid}`, {
    hint: "run a worker that reaches a backend with a copy",
  });
  return { outcome: failed(sequence, first, findings), bytes: 0 };
}

async function copyFrom(
  action: SegmentAction,
  source: Endpoint,
  target: Endpoint,
  context: StepContext,
): ReturnType<typeof transfer> {
  const { signal, memory } = context;
  const { object } = action;
  const onBytes = (bytes: number): void => {
    memory.moved(bytes);
  };
  const onResumed = (bytes: number): void => {
    memory.resumed(bytes);
  };
  const copy = await source.driver.stat(object, { signal }).catch((thrown: unknown) => {
    throw sourceFault(EngineError.from(thrown), source.backend, undefined);
  });
  if (copy !== undefined) {
    return transfer(object, { ...source, copy }, target, { signal, onBytes, onResumed });
  }
  const message = `backend ${source.backend} holds no copy of ${object.cid}`;
  throw sourceFault(new EngineError("NOT_FOUND", message), source.backend, {
    backend: source.backend,
    cid: object.cid,
    finding: "absent",
    confidence: "listed",
    method: "looked for it as the source of a copy",
    checkedAt: context.now().toISOString(),
    bytesRead: 0,
  });
}

/** Has the archive make a copy readable; says that, and when to look again, as an error. */
async function askArchive(
  { object }: SegmentAction,
  { backend, driver }: Endpoint,
  { signal }: StepContext,
): Promise<EngineError> {
  try {
    const copy = await driver.stat(object, { signal });
    if (driver.thaw === undefined || copy === undefined) {
      return new EngineError("NOT_SUPPORTED", `${backend} cannot make ${object.cid} readable`);
    }
    const { readable, askAfterMs, message } = await driver.thaw(object, copy, { signal });
    return new EngineError("UNAVAILABLE", `${backend}: ${message}`, {
      details: { wait: "thaw" },
      retryAfterMs: readable ? 0 : askAfterMs,
    });
  } catch (thrown) {
    signal.throwIfAborted();
    return EngineError.from(thrown);
  }
}

function endpoint(context: StepContext, backend: string | null): Endpoint {
  const driver = context.drivers.get(backend ?? "");
  if (backend !== null && driver !== undefined) return { backend, driver };
  throw new EngineError("INTERNAL", `this node has no driver for the target ${backend}`);
}

function failed(sequence: number, error: EngineError, findings: readonly Evidence[]): CopyOutcome {
  const seen = findings.length === 0 ? {} : { findings };
  return { sequence, outcome: "failed", code: error.code, message: error.message, ...seen };
}

function sourceFault(
  error: EngineError,
  backend: string,
  evidence: Evidence | undefined,
): EngineError {
  const fault: TransferFault = { side: "source", backend, evidence };
  return new EngineError(error.code, error.message, {
    cause: error,
    retryable: error.retryable,
    details: { ...error.details, transfer: fault },
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
