import type { EngineContext } from "#engine/context.ts";
import { importAccesses } from "#engine/import-accesses.ts";
import { exportObjects, listObjects, showObject } from "#engine/objects.ts";
import { exportReport, makeReport } from "#engine/reports/make-report.ts";
import { verifyObjects } from "#engine/verify.ts";
import { importDirectory } from "#jobs/import-directory.ts";
import { actAs, acting } from "#model/acting.ts";
import type { EngineApi } from "#model/engine-api.ts";

type ContentPart = Pick<
  EngineApi,
  | "objects"
  | "exportObjects"
  | "report"
  | "exportReport"
  | "object"
  | "query"
  | "importDirectory"
  | "importInventory"
  | "importAccesses"
  | "verify"
  | "setHold"
>;

/** What is stored: look at it, bring it in, check it, protect it. */
export function contentPart(context: EngineContext): ContentPart {
  const { index, pool, now } = context;
  const reports = { ...context, minimumCopies: context.config.safety.minimumCopies };
  return {
    objects: (request) => listObjects(context, request),
    exportObjects: (request) => exportObjects(context, request),
    report: (request) => makeReport(reports, request),
    exportReport: (request) => exportReport(reports, request),
    object: (reference) => showObject(context, reference),
    async *query(text) {
      for await (const { names, columns, rows } of index.query(text)) {
        const row = (at: number) =>
          Object.fromEntries(names.map((name, column) => [name, columns[column]?.[at]]));
        yield { columns: names, rows: Array.from({ length: rows }, (_, at) => row(at)) };
      }
    },
    async *importDirectory(request) {
      const driver = await pool.driver(request.backend);
      yield* importDirectory(request, { backend: request.backend, driver }, index, { now });
    },
    async importInventory(backend) {
      const driver = await pool.driver(backend);
      return index.reconcile(backend, driver.list(), now());
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
