import { objectFile } from "#drivers/local/object-file.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { readSegment } from "#jobs/segment.ts";
import type { Evidence } from "#model/copy.ts";
import { reportedCopy, reportedEvidence } from "#model/reported-copy.ts";
import type { CopyOutcome, StepData } from "#model/run.ts";

/** What a worker would say that found all its bytes well. */
export async function copiedOutcomes(
  index: ObjectIndex,
  step: StepData,
): Promise<readonly CopyOutcome[]> {
  const bytes = await index.segment(step.planCid, step.from, step.to);
  const backend = step.target ?? "";
  return readSegment(bytes, step).map(({ sequence, object: { cid, size } }) => {
    const { locator, form } = locatorOf(cid);
    const evidence: Evidence = {
      backend,
      cid,
      finding: "present",
      confidence: "verified",
      method: `re-hashed ${size} bytes`,
      checkedAt: new Date().toISOString(),
      bytesRead: size,
    };
    return {
      sequence,
      outcome: "done",
      moved: true,
      copy: reportedCopy({ locator, form, bytes: size }, cid),
      evidence: reportedEvidence(evidence, cid),
    };
  });
}

/** As the local driver names its files. */
function locatorOf(cid: string) {
  const { shard, name, form } = objectFile(cid, "file");
  return { locator: `objects/${shard}/${name}`, form };
}
