import type { BlockFile } from "#content/block-file.ts";
import { parseCid } from "#content/cid.ts";
import { type DagSurvey, requireWhole, surveyDag } from "#content/walk-dag.ts";
import type { Fetching } from "#engine/callers/fetching.ts";
import { counted } from "#engine/callers/work-steps.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * Fetches the blocks of an object, each checked against its CID. What one copy gave before it
 * broke off is good; the next one only has to bring the rest. NO_SPACE where they find no room.
 *
 * @param place where the blocks go, for messages
 */
export async function fetchBlocks(
  fetching: Fetching,
  blocks: BlockFile,
  place: string,
): Promise<DagSurvey> {
  const { api, work, object } = fetching;
  const root = parseCid(object.cid);
  for (const { backend } of object.sources) {
    let failure: EngineError | undefined;
    try {
      const car = api.readObject({ object: object.cid, backend, form: "car" });
      await blocks.take(counted(car, work));
    } catch (thrown) {
      work.signal.throwIfAborted();
      if (blocks.writeFailure !== undefined) throw localFileError(blocks.writeFailure, place);
      failure = EngineError.from(thrown);
      await fetching.failed(backend, failure);
    }
    const survey = await surveyDag(blocks, root);
    if (survey.missing === 0) return survey;
    if (failure === undefined) requireWhole(root, survey);
  }
  throw fetching.nothingLeft();
}
