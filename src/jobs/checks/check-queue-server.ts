import { checkPostgres, type PostgresNeeds } from "#jobs/checks/check-postgres.ts";
import { checkRedis } from "#jobs/checks/check-redis.ts";
import { openEmbeddedPostgres } from "#jobs/embedded-postgres.ts";
import { queueKind } from "#jobs/queue-kind.ts";
import { hidePassword } from "#jobs/queue-store.ts";
import type { Check } from "#model/check.ts";
import { EngineError } from "#model/engine-error.ts";

export type QueueServer =
  | { readonly url: string }
  /** The server of a data directory: the one that runs, else it is started for the check. */
  | { readonly embedded: { readonly directory: string } };

/** The server that was stopped just now may be on its way out; whoever checks is told of more. */
const embeddedPatienceMs = 30_000;

/** Whether the server of the queue answers and is set up as the queue needs it. */
export async function checkQueueServer(
  server: QueueServer,
  needs: PostgresNeeds,
  now: () => Date,
): Promise<readonly Check[]> {
  if ("url" in server) return checked(server.url, needs, now);
  const { directory } = server.embedded;
  const embedded = await openEmbeddedPostgres(directory, { patienceMs: embeddedPatienceMs });
  try {
    return await checked(embedded.url, needs, now);
  } finally {
    await embedded.close();
  }
}

async function checked(
  url: string,
  needs: PostgresNeeds,
  now: () => Date,
): Promise<readonly Check[]> {
  const kind = queueKind(url);
  if (kind === undefined) {
    throw new EngineError("USAGE", "queue.url stands for no URL of Redis or PostgreSQL", {
      hint: "write redis://…, rediss://… or postgres://…",
    });
  }
  try {
    const checks = kind === "redis" ? checkRedis(url, needs, now) : checkPostgres(url, needs, now);
    return [{ name: "queue", state: "ok", message: hidePassword(url) }, ...(await checks)];
  } catch (error) {
    throw new EngineError(
      "UNAVAILABLE",
      `${hidePassword(url)} does not answer: ${EngineError.from(error).message}`,
      { cause: error, hint: "start the server, or correct queue.url" },
    );
  }
}
