import { throwIfOut } from "#jobs/backend-outage.ts";
import { placesOf, refusedAsSame, sameRefusal } from "#jobs/refused-as-same.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { StepContext } from "#jobs/step-context.ts";
import type { Storages } from "#jobs/storages.ts";
import { confidences, type Confidence, type Evidence, type ObjectRef } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit, ReservedCopy } from "#model/removal.ts";
import type { ActionEnd, RemovalEnd } from "#model/run.ts";

/** What the backends said, now, about the copies that must remain. */
export interface ReservedCheck {
  readonly evidence: readonly Evidence[];
  /** Set when the removal must not happen, and why. */
  readonly refusal: RemovalEnd | undefined;
}

/**
 * Asks each backend for the copy it must keep. A copy that was re-hashed within `proofAgeMaxMs`
 * must be there in the form and size that it was recorded with; what is there otherwise, or was
 * re-hashed longer ago, is re-hashed now (docs/decisions/0010), and so is any that lies under a name
 * by which other programs may have written to it. Copies on backends that are one and the same
 * storage are one copy, whatever was recorded of them.
 */
export async function checkReserved(
  permit: RemovalPermit,
  object: ObjectRef,
  context: StepContext,
  storages: Storages,
): Promise<ReservedCheck> {
  const evidence: Evidence[] = [];
  if (permit.reserved.length === 0 && permit.authority !== "delete") {
    return { evidence, refusal: refuse("REFUSED", `permit ${permit.id} reserves no copy`) };
  }
  const refusal = await refusedAsSame(permit, storages, context);
  if (refusal !== undefined) return { evidence, refusal };
  const places = placesOf(permit);
  for (const reserved of permit.reserved) {
    const level = levelFor(reserved, context);
    try {
      const holders = new Set<string>();
      const found = await check(object, reserved, level, context, holders);
      evidence.push(found);
      const others = places.filter((place) => place !== reserved.backend);
      const same = await storages.holding(reserved.backend, [...holders], others);
      if (same !== undefined) return { evidence, refusal: sameRefusal(same, reserved.backend) };
      if (found.finding === "present") continue;
      const code = found.finding === "corrupt" ? "CORRUPT" : "NOT_FOUND";
      const message = `kept: the copy on ${reserved.backend} that must remain is ${found.finding}`;
      return { evidence, refusal: refuse(code, message) };
    } catch (thrown) {
      context.signal.throwIfAborted();
      const error = EngineError.from(thrown);
      const driver = context.drivers.get(reserved.backend);
      if (driver !== undefined) await throwIfOut(reserved.backend, driver, error, false);
      const message = `kept: the copy on ${reserved.backend} could not be checked: ${error.message}`;
      return { evidence, refusal: refuse(error.code, message) };
    }
  }
  return { evidence, refusal: undefined };
}

async function check(
  object: ObjectRef,
  reserved: ReservedCopy,
  level: Confidence,
  context: StepContext,
  holders: Set<string>,
): Promise<Evidence> {
  const { signal } = context;
  const onHolders = (names: readonly string[]): void => {
    for (const name of names) holders.add(name);
  };
  const driver = context.drivers.get(reserved.backend);
  if (driver === undefined) {
    const message = `this node does not reach backend ${reserved.backend}`;
    throw new EngineError("NOT_SUPPORTED", message);
  }
  const verify = (asked: Confidence) =>
    runWithRetries(() => driver.verify(object, asked, { signal, onHolders }), context);
  const seen = await verify(level);
  const rests = seen.finding === "present" && rank(level) < rank(reserved.confidence);
  // A proof of other bytes than those that are there is none.
  const isOther = rests && !isAsRecorded(seen, reserved);
  const { stored: _stored, ...found } = isOther ? await verify(reserved.confidence) : seen;
  const needed = isOther ? reserved.confidence : level;
  if (found.finding === "present" && rank(found.confidence) < rank(needed)) {
    const message = `backend ${reserved.backend} can only be checked as ${found.confidence}`;
    throw new EngineError("NOT_SUPPORTED", message);
  }
  if (!rests || isOther) return found;
  return { ...found, method: `${found.method}; re-hashed ${reserved.verifiedAt}` };
}

/** Whether what is there has the form and size of what was verified; a pin is named by its content. */
function isAsRecorded({ stored }: Evidence, { stored: recorded }: ReservedCopy): boolean {
  if (recorded === undefined) return false;
  if (recorded.form === "dag") return true;
  return stored?.form === recorded.form && stored.bytes === recorded.bytes;
}

/** `claimed` copies are looked at too: nothing is removed on hearsay. */
function levelFor(reserved: ReservedCopy, context: StepContext): Confidence {
  if (rank(reserved.confidence) <= rank("listed")) return "listed";
  const driver = context.drivers.get(reserved.backend);
  if (driver?.capabilities.storesByName === true) return reserved.confidence;
  const verifiedAt = Date.parse(reserved.verifiedAt ?? "");
  const ageMs = context.now().getTime() - verifiedAt;
  const fresh = ageMs >= 0 && ageMs <= context.settings.proofAgeMaxMs;
  return fresh ? "listed" : reserved.confidence;
}

function rank(confidence: Confidence): number {
  return confidences.indexOf(confidence);
}

function refuse(code: EngineError["code"], message: string): ActionEnd {
  return { outcome: "failed", code, message };
}
