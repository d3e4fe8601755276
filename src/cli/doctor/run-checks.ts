import { EngineError } from "#model/engine-error.ts";
import type { Config } from "#config.ts";
import type { CommandContext } from "#cli/command.ts";
import { checkDataDirectory } from "#cli/doctor/check-data-directory.ts";
import { checkQueue } from "#cli/doctor/check-queue.ts";
import { checkDuckDb, checkEmbeddedPostgres, checkNode } from "#cli/doctor/check-runtime.ts";

/** What one check found. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  readonly hint?: string;
}

/** A check throws an EngineError, or says what it found. */
export type Finding = () => Promise<string> | string;

/** All checks, one after the other; each runs whatever the others found. */
export async function runChecks(context: CommandContext): Promise<readonly Check[]> {
  const checks = [await check("node", checkNode), await check("index database", checkDuckDb)];
  let config: Config | undefined;
  checks.push(
    await check("configuration", async () => {
      config = await context.config();
      return config.file ?? "no file: defaults hold, and no backend is configured";
    }),
  );
  if (config === undefined) return checks;
  const known = config;
  checks.push(await check("data directory", () => checkDataDirectory(known.dataDirectory)));
  if (known.queue.url === "embedded") {
    checks.push(await check("embedded PostgreSQL", checkEmbeddedPostgres));
  } else {
    checks.push(await check("queue", () => checkQueue(known, context.io)));
  }
  return [...checks, ...(await checkBackends(context))];
}

/** Each backend as the engine sees it. */
async function checkBackends(context: CommandContext): Promise<readonly Check[]> {
  try {
    const { api } = await context.connect();
    return (await api.backends()).map(({ name, status }) => {
      const title = `backend ${name}`;
      if (typeof status === "string") return { name: title, ok: false, message: status };
      const rights = status.writable ? "readable and writable" : "read-only";
      return { name: title, ok: true, message: `${status.server}, ${rights}` };
    });
  } catch (error) {
    return [failed("engine", error)];
  }
}

async function check(name: string, finding: Finding): Promise<Check> {
  try {
    return { name, ok: true, message: await finding() };
  } catch (error) {
    return failed(name, error);
  }
}

function failed(name: string, thrown: unknown): Check {
  const { message, hint } = EngineError.from(thrown);
  return { name, ok: false, message, ...(hint === undefined ? {} : { hint }) };
}
