import { resolveReference } from "#config/resolve-secret.ts";
import type { Check } from "#model/check.ts";
import { EngineError } from "#model/engine-error.ts";
import { outsidePort } from "#engine/outside-port.ts";
import type { Config } from "#config.ts";
import type { CommandContext } from "#cli/command.ts";
import { diagnosticsOf } from "#cli/report-error.ts";
import { checkBackend } from "#cli/doctor/check-backend.ts";
import { checkDataDirectory } from "#cli/doctor/check-data-directory.ts";
import { outsideFindings } from "#cli/doctor/check-outside.ts";
import { checkLeader } from "#cli/doctor/check-leader.ts";
import { checkNodeClocks } from "#cli/doctor/check-node-clocks.ts";
import { checkWorkers } from "#cli/doctor/check-workers.ts";
import { checkDuckDb, checkEmbeddedPostgres, checkNode } from "#cli/doctor/check-runtime.ts";

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
  }
  checks.push(...(await checkQueue(context, known)), ...(await checkEngine(context, known)));
  const port = outsidePort(known, context.io.env);
  const outside = port === undefined ? [] : outsideFindings(known, port);
  for (const [name, finding] of outside) checks.push(await check(name, finding));
  return checks;
}

/** The server of the queue, and how it is set up. */
async function checkQueue({ io }: CommandContext, config: Config): Promise<readonly Check[]> {
  try {
    // Loaded when it is needed: other commands start faster without the queue.
    const engine = await import("#engine/check-queue.ts");
    const secrets = { env: io.env, directory: config.directory };
    return await engine.checkQueue(config, (text) => resolveReference(text, secrets));
  } catch (error) {
    return [failed("queue", error)];
  }
}

/** Who leads, the clocks of the nodes, and each backend as the engine sees it. */
async function checkEngine(context: CommandContext, { safety }: Config): Promise<readonly Check[]> {
  try {
    const { api } = await context.connect();
    const { leader, nodes } = await api.status();
    const backends = await api.backends();
    return [
      ...checkLeader(leader),
      ...checkWorkers(
        leader,
        nodes,
        backends.map((backend) => backend.name),
      ),
      ...checkNodeClocks(nodes, safety.clockSkewMs),
      ...backends.flatMap(checkBackend),
    ];
  } catch (error) {
    return [failed("engine", error)];
  }
}

async function check(name: string, finding: Finding): Promise<Check> {
  try {
    return { name, state: "ok", message: await finding() };
  } catch (error) {
    return failed(name, error);
  }
}

function failed(name: string, thrown: unknown): Check {
  const error = EngineError.from(thrown);
  const { message, hint } = error;
  const diagnostics = diagnosticsOf(error);
  return {
    name,
    state: "failed",
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(diagnostics.length > 0 && { diagnostics }),
  };
}
