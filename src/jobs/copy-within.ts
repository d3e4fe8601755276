import { strongestCheck, type Delivered, type Place } from "#jobs/deliver.ts";
import { blame } from "#jobs/transfer-fault.ts";
import { isArchived } from "#model/archived.ts";
import type { ObjectRef, StoredCopy } from "#model/copy.ts";
import type { CallOptions } from "#model/driver.ts";
import { EngineError, type ErrorCode } from "#model/engine-error.ts";

/** With these the service says that it will not copy by itself: the bytes pass through here. */
const notWithin: ReadonlySet<ErrorCode> = new Set([
  "NOT_SUPPORTED",
  "FORBIDDEN",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "CONFLICT",
]);

/**
 * Has the service that holds both ends copy within itself, and the target prove what it got:
 * nobody verified those bytes on their way. Undefined when that is not possible, when there is
 * something at the target already, or when the proof fails: then bytes are sent that were
 * verified here, and what is wrong with the source comes out.
 */
export async function copyWithin(
  object: ObjectRef,
  source: Place & { readonly copy: StoredCopy },
  target: Place,
  call: CallOptions,
): Promise<Delivered | undefined> {
  const { driver } = target;
  const { account, capabilities } = driver;
  if (account === undefined || account !== source.driver.account) return undefined;
  if (!capabilities.forms.includes(source.copy.form)) return undefined;
  try {
    if ((await driver.stat(object, call)) !== undefined) return undefined;
    const copy = await driver.copyWithin?.(object, source.copy, call);
    if (copy === undefined) return undefined;
    const evidence = await strongestCheck(object, target, call);
    return evidence.finding === "present" ? { copy, evidence, moved: true } : undefined;
  } catch (thrown) {
    const error = EngineError.from(thrown);
    const fault = { evidence: undefined } as const;
    const { backend } = source;
    if (isArchived(error)) throw blame(error, { ...fault, side: "source", backend });
    if (notWithin.has(error.code)) return undefined;
    throw blame(error, { ...fault, side: "target", backend: target.backend });
  }
}
