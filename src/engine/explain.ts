import { actionObstacles, type ObstacleSource } from "#engine/action-obstacles.ts";
import type { EngineContext } from "#engine/context.ts";
import { readTime } from "#engine/read-time.ts";
import type { ExplainRequest, Explanation } from "#model/explanation.ts";
import { explainObject } from "#policies/explain/explain-object.ts";

/** What explain needs of the engine. */
export type ExplainSource = Pick<
  EngineContext,
  "config" | "index" | "policies" | "now" | "moment"
> &
  Pick<ObstacleSource, "watch">;

/** Every rule for one object: what holds, what wins, and when that changes. */
export async function explainNow(
  context: ExplainSource,
  request: ExplainRequest,
): Promise<Explanation> {
  const { index, policies, config } = context;
  const at = request.at === undefined ? context.now() : readTime(request.at);
  const objectId = await index.findObject(request.object);
  const object = await index.objectDetail(objectId, at);
  const set = await policies.compile(await context.moment(at), request);
  await using session = await index.session();
  const { minimumCopies } = config.safety;
  const { announced, conclusion, ...explained } = await explainObject(set, session, objectId, {
    minimumCopies,
  });
  // Of another time nobody knows what will fail or be paused.
  const obstacles =
    request.at === undefined ? await actionObstacles(context, session, objectId, announced) : [];
  const said = [...conclusion, ...obstacles];
  return { object, evaluatedAt: at.toISOString(), ...explained, conclusion: said };
}
