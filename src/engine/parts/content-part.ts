import type { EngineContext } from "#engine/context.ts";
import { importAccesses } from "#engine/import-accesses.ts";
import { showObject } from "#engine/objects.ts";
import { verifyObjects } from "#engine/verify.ts";
import { importDirectory } from "#jobs/import-directory.ts";
import { actAs, acting } from "#model/acting.ts";
import type { EngineApi } from "#model/engine-api.ts";

type ContentPart = Pick<
  EngineApi,
  "object" | "importDirectory" | "importAccesses" | "verify" | "setHold"
>;

/** What is stored: bring it in, check it, protect it. */
export function contentPart(context: EngineContext): ContentPart {
  const { index, pool, now } = context;
  return {
    object: (reference) => showObject(context, reference),
    async *importDirectory(request) {
      const driver = await pool.driver(request.backend);
      yield* importDirectory(request, { backend: request.backend, driver }, index, { now });
    },
    importAccesses: (id, lines, options) => importAccesses(context, id, lines, options),
    verify: (request) => verifyObjects(context, request),
    async setHold(reference, held, reason) {
      const objectId = await index.findObject(reference);
      const by = { actor: acting()?.actor ?? "api", reason };
      if (held) await actAs(by, () => index.hold([objectId], reason, now()));
      else await actAs(by, () => index.release([objectId], now()));
      return showObject(context, reference);
    },
  };
}
