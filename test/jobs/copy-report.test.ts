import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rawCid } from "#content/cid.ts";
import { objectFile } from "#drivers/local/object-file.ts";
import { type CopyReport, reportedOutcomes } from "#jobs/copy-report.ts";
import { pack } from "#jobs/step-job.ts";
import type { Evidence, StoredCopy } from "#model/copy.ts";
import { fullEvidence, reportedCopy, reportedEvidence, storedCopy } from "#model/reported-copy.ts";
import type { CopyOutcome, StepData } from "#model/run.ts";

const cid = rawCid(Buffer.from("an object")).toString();
const other = rawCid(Buffer.from("another")).toString();
const step: StepData = {
  runId: "run-1",
  planCid: "plan",
  batch: 7,
  attempt: 0,
  from: 0,
  to: 1,
  segmentCid: other,
  policy: "p",
  verb: "replicate",
  source: "hot",
  target: "cold",
  victim: null,
};

describe("a report without CIDs", () => {
  test("gives every locator back as the driver named it, wherever the CID stands in it", () => {
    const part = fc.oneof(fc.string(), fc.constant(cid), fc.constant(cid.slice(0, 20)));
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const copy: StoredCopy = { locator: parts.join(""), form: "file", bytes: 3 };
        const reported = reportedCopy(copy, cid);
        expect(JSON.stringify(reported)).not.toContain(cid);
        expect(storedCopy(JSON.parse(JSON.stringify(reported)), cid)).toEqual(copy);
      }),
    );
  });

  test("gives the evidence back, and what is about another object keeps saying so", () => {
    expect(JSON.stringify(reportedEvidence(evidence(cid, 0), cid))).not.toContain(cid);
    for (const about of [cid, other]) {
      const given = evidence(about, 0);
      const back = fullEvidence(reportedEvidence(given, cid), cid);
      expect(JSON.stringify(back)).toBe(JSON.stringify(given));
    }
  });

  test("of a thousand small objects takes less than 24 KiB in the queue", async () => {
    const outcomes = Array.from({ length: 1_000 }, (_, sequence) => outcomeOf(sequence));
    const report: CopyReport = { segmentCid: other, outcomes };
    expect((await pack(report)).length).toBeLessThan(24 * 1024);
  });
});

describe("the commit of a copy step", () => {
  test("takes a report about its own segment", () => {
    const outcomes = [outcomeOf(0)];
    expect(reportedOutcomes(step, { segmentCid: other, outcomes })).toEqual(outcomes);
  });

  test("takes what a worker of an earlier version returned: outcomes that name their objects", () => {
    const copy: StoredCopy = { locator: "objects/1/x", form: "file", bytes: 3 };
    const done = { sequence: 0, outcome: "done", moved: true, copy } as const;
    const old: CopyOutcome[] = [{ ...done, evidence: evidence(cid, 0) }];
    expect(reportedOutcomes(step, old)).toEqual(old);
  });

  test("refuses a report about another segment: its sequences may mean other objects", () => {
    const report: CopyReport = { segmentCid: cid, outcomes: [outcomeOf(0)] };
    expect(() => reportedOutcomes(step, report)).toThrow(`is about segment ${cid} instead of`);
  });

  test.for([{ version: 9 }, "text", null, {}])("refuses what it does not know: %j", (returned) => {
    expect(() => reportedOutcomes(step, returned)).toThrow("does not know");
  });
});

/** What a worker reports about the object of an action, of which each has another. */
function outcomeOf(sequence: number): CopyOutcome {
  const object = rawCid(Buffer.from(`object ${sequence}`)).toString();
  const { shard, name, form } = objectFile(object, "file");
  const copy = { locator: `objects/${shard}/${name}`, form, bytes: 4_096 };
  return {
    sequence,
    outcome: "done",
    copy: reportedCopy(copy, object),
    evidence: reportedEvidence(evidence(object, sequence), object),
    moved: true,
  };
}

function evidence(about: string, ms: number): Evidence {
  return {
    backend: "cold",
    cid: about,
    finding: "present",
    confidence: "verified",
    method: "re-hashed 4096 bytes",
    checkedAt: new Date(Date.UTC(2026, 0, 1) + ms * 7).toISOString(),
    bytesRead: 4_096,
  };
}
