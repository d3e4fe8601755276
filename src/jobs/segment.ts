import { tableFromIPC } from "apache-arrow";
import { rawCid } from "#content/cid.ts";
import { cidText } from "#index/cid-key.ts";
import type { ObjectRef } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import type { StepData } from "#model/run.ts";

/** One action of a batch as a worker needs it; the rest of it is the same for the whole batch. */
export interface SegmentAction {
  readonly sequence: number;
  readonly objectId: number;
  readonly object: ObjectRef;
}

/** CID of a segment's Arrow bytes. */
export function segmentCid(bytes: Uint8Array): string {
  return rawCid(bytes).toString();
}

/** Reads the actions of a segment after checking that the bytes are the ones that were meant. */
export function readSegment(bytes: Uint8Array, step: StepData): readonly SegmentAction[] {
  const found = segmentCid(bytes);
  if (found !== step.segmentCid) {
    throw new EngineError(
      "CORRUPT",
      `actions ${step.from} to ${step.to} of plan ${step.planCid} arrived with CID ${found} ` +
        `instead of ${step.segmentCid}`,
      { retryable: true, hint: "check the connection to the controller" },
    );
  }
  const table = tableFromIPC(bytes);
  const column = (name: string) => {
    const vector = table.getChild(name);
    if (vector !== null) return vector;
    throw new EngineError("INTERNAL", `a segment of plan ${step.planCid} has no column ${name}`);
  };
  const [sequence, objectId, cid, size, profile] = [
    column("sequence"),
    column("object_id"),
    column("cid"),
    column("size"),
    column("profile"),
  ];
  return Array.from({ length: table.numRows }, (_, row) => ({
    sequence: Number(sequence.get(row)),
    objectId: Number(objectId.get(row)),
    object: {
      // These are the bytes that the index put there: whoever uses the CID parses it anyway.
      cid: cidText(cid.get(row) as Uint8Array),
      size: Number(size.get(row)),
      profile: String(profile.get(row)),
    },
  }));
}
