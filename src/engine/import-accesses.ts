import type { EngineContext } from "#engine/context.ts";
import { parseAccessLine } from "#index/parse-access-line.ts";
import type { AccessImportReport } from "#model/engine-api.ts";
import type { Access } from "#model/index-store.ts";

/** Lines that are counted in one transaction. */
const linesPerBatch = 100_000;
const examplesMax = 5;

/**
 * Counts an access log, line by line, into heat. A log is cut into parts of fixed length that
 * are remembered by the batch id, so that a log that was cut off half-way can be sent again.
 */
export async function importAccesses(
  context: EngineContext,
  batchId: string,
  lines: AsyncIterable<string>,
): Promise<AccessImportReport> {
  const report = { lines: 0, malformed: 0, applied: 0, unknown: 0, repeated: true };
  const examples: string[] = [];
  let accesses: Access[] = [];
  let part = 0;
  const flush = async (): Promise<void> => {
    const summary = await context.index.recordAccesses(`${batchId}/${part}`, accesses);
    report.applied += summary.applied;
    report.unknown += summary.unknown;
    report.repeated &&= summary.repeated;
    accesses = [];
    part += 1;
  };
  for await (const line of lines) {
    if (line.trim() === "") continue;
    report.lines += 1;
    const parsed = parseAccessLine(line);
    if ("problem" in parsed) {
      report.malformed += 1;
      if (examples.length < examplesMax) examples.push(`line ${report.lines}: ${parsed.problem}`);
    } else accesses.push(parsed.access);
    if (report.lines % linesPerBatch === 0) await flush();
  }
  if (accesses.length > 0) await flush();
  return { ...report, repeated: part > 0 && report.repeated, examples };
}
