import { exportQuery } from "#engine/export-query.ts";
import { exportObjects, listObjects } from "#engine/objects.ts";
import { makePlan } from "#engine/planning.ts";
import { budgetStates } from "#engine/reports/budget-states.ts";
import { exportReport, makeReport } from "#engine/reports/make-report.ts";
import { type Readable, readingSource } from "#engine/snapshots/reading-source.ts";
import type { ReadingApi } from "#model/snapshot-api.ts";

/** Lists, reports, queries and plans, over the index or as of a snapshot. */
export function readingMethods(readable: Readable): ReadingApi {
  const { minimumCopies } = readable.config.safety;
  return {
    async plan({ snapshot, ...request }) {
      await using source = await readingSource(readable, snapshot);
      return await makePlan(source, request);
    },
    async *objects({ snapshot, ...request }) {
      await using source = await readingSource(readable, snapshot);
      yield* listObjects(source, request);
    },
    async exportObjects({ snapshot, ...request }) {
      await using source = await readingSource(readable, snapshot);
      return await exportObjects(source, request);
    },
    async report({ snapshot, ...request }) {
      await using source = await readingSource(readable, snapshot);
      const report = await makeReport({ ...source, minimumCopies }, request);
      const budgets = request.report === "cost" ? await budgetStates(source) : [];
      return budgets.length === 0 ? report : { ...report, budgets };
    },
    async exportReport({ snapshot, ...request }) {
      await using source = await readingSource(readable, snapshot);
      return await exportReport({ ...source, minimumCopies }, request);
    },
    async *query(text, { snapshot } = {}) {
      await using source = await readingSource(readable, snapshot);
      for await (const { names, columns, rows } of source.index.query(text)) {
        const row = (at: number) =>
          Object.fromEntries(names.map((name, column) => [name, columns[column]?.[at]]));
        yield { columns: names, rows: Array.from({ length: rows }, (_, at) => row(at)) };
      }
    },
    async *queryArrow(text, { snapshot } = {}) {
      await using source = await readingSource(readable, snapshot);
      await using session = await source.index.session();
      for await (const { bytes } of session.userArrow(text, "stream")) yield Buffer.concat(bytes);
    },
    async exportQuery({ snapshot, ...request }) {
      await using source = await readingSource(readable, snapshot);
      return await exportQuery(source.index, request);
    },
  };
}
