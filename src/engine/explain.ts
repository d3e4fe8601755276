import type { EngineContext } from "#engine/context.ts";
import type { ExplainRequest, Explanation } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
export async function explainObjectNow(
  _c: EngineContext,
  _r: ExplainRequest,
): Promise<Explanation> {
  throw new EngineError("NOT_SUPPORTED", "explain is not built yet");
}
