import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { formatDiagnostics, toJson } from "#document/format-diagnostics.ts";
import { readSource } from "#document/read-source.ts";
import type { DocumentSource } from "#document/document-source.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { EngineError } from "#model/engine-error.ts";
import type { CommandIo } from "#cli/command-io.ts";

export interface ErrorReportOptions {
  readonly isJson: boolean;
  readonly color: boolean;
  readonly version: string;
  readonly argv: readonly string[];
  /** Directory for reports of internal errors. */
  readonly reports: string;
}

/** Says what went wrong on standard error and gives the exit code. */
export async function reportError(
  thrown: unknown,
  io: CommandIo,
  options: ErrorReportOptions,
): Promise<number> {
  const error = EngineError.from(thrown);
  const hint = error.code === "INTERNAL" ? await internalHint(thrown, io, options) : error.hint;
  const diagnostics = diagnosticsOf(error);
  if (diagnostics.length > 0 && !options.isJson) {
    const sources = await readSources(diagnostics, io.cwd);
    io.stderr.write(`${formatDiagnostics(diagnostics, sources, "text", options)}\n`);
  }
  io.stderr.write(`error: ${error.message}\n`);
  if (hint !== undefined) io.stderr.write(`hint: ${hint}\n`);
  if (options.isJson) {
    const line = {
      schemaVersion: 1,
      type: "exit_error",
      code: error.exitCode,
      error: error.code,
      message: error.message,
      ...(hint === undefined ? {} : { hint }),
      ...(diagnostics.length > 0 ? { diagnostics: diagnostics.map(toJson) } : {}),
    };
    io.stderr.write(`${JSON.stringify(line)}\n`);
  }
  return error.exitCode;
}

/** The texts that diagnostics refer to, as far as they can be read here. */
export async function readSources(
  diagnostics: readonly Diagnostic[],
  cwd: string,
): Promise<readonly DocumentSource[]> {
  const files = [...new Set(diagnostics.map((diagnostic) => diagnostic.file))];
  const read = files.map((file) =>
    readSource(resolve(cwd, file), file).catch(() => ({ file, text: "" })),
  );
  return Promise.all(read);
}

/** What is wrong in documents, where that is the error. */
export function diagnosticsOf(error: EngineError): readonly Diagnostic[] {
  const { diagnostics } = error.details;
  return Array.isArray(diagnostics) ? (diagnostics as Diagnostic[]) : [];
}

/** A defect leaves a report that can be sent: what ran, on what, and the stack. */
async function internalHint(
  thrown: unknown,
  io: CommandIo,
  { version, argv, reports }: ErrorReportOptions,
): Promise<string> {
  const time = io.clock.now().toISOString();
  const report = {
    schemaVersion: 1,
    time,
    version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    command: argv,
    error: describe(thrown),
  };
  const file = join(reports, `thermocline-${time.replaceAll(/[:.]/g, "-")}.json`);
  try {
    await mkdir(reports, { recursive: true });
    await writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
    return `this is a defect in thermocline; please send ${file} with your report`;
  } catch {
    return `this is a defect in thermocline; please report it with this stack:\n${describe(thrown)}`;
  }
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? "" : `\ncaused by ${describe(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}${cause}`;
}
