import type { Confidence, Evidence, ObjectRef } from "#model/copy.ts";

/** Makes the evidence of one check of a copy, as of now. */
export function evidenceOf(
  backend: string,
  { cid }: ObjectRef,
  confidence: Confidence,
): (finding: Evidence["finding"], method: string, bytesRead: number) => Evidence {
  return (finding, method, bytesRead) => {
    const checkedAt = new Date().toISOString();
    return { backend, cid, finding, confidence, method, checkedAt, bytesRead };
  };
}
