import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { StepData } from "#model/run.ts";
import { readSegment, type SegmentAction } from "#jobs/segment.ts";

/** A copy step and the remove step after it read the same segment, on the same node or not. */
const segmentsMax = 64;

/** Segments that a worker fetched lately, each checked against its CID. */
export class SegmentCache {
  readonly #api: Pick<EngineApi, "segment">;
  readonly #segments = new Map<string, Promise<readonly SegmentAction[]>>();

  constructor(api: Pick<EngineApi, "segment">) {
    this.#api = api;
  }

  async actions(step: StepData): Promise<readonly SegmentAction[]> {
    const known = this.#segments.get(step.segmentCid);
    if (known !== undefined) return known;
    const fetched = this.#api
      .segment(step.planCid, step.from, step.to)
      .then((bytes) => readSegment(bytes, step));
    this.#segments.set(step.segmentCid, fetched);
    const oldest = this.#segments.keys().next().value;
    if (this.#segments.size > segmentsMax && oldest !== undefined) this.#segments.delete(oldest);
    return fetched.catch((error: unknown) => {
      this.#segments.delete(step.segmentCid);
      // A controller that cannot be reached comes back: the job waits for it.
      throw EngineError.from(error, "UNAVAILABLE");
    });
  }
}
