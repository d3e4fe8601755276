import { access } from "node:fs/promises";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { readQueueOwner } from "#jobs/checks/read-queue-owner.ts";
import type { Check } from "#model/check.ts";
import { EngineError } from "#model/engine-error.ts";

/** Two installations on one queue would take each other's jobs: the second one does not start. */
export function refuseForeignQueue(config: Config, owner: string, installation: string): void {
  if (owner === installation) return;
  throw new EngineError("REFUSED", foreign(config), { hint: remedy });
}

/** The same as a check; none where there is nothing to compare, as on a node without an index. */
export async function checkQueueOwner(
  config: Config,
  queue: { readonly url: string; readonly namespace: string },
): Promise<readonly Check[]> {
  const owner = await readQueueOwner(queue.url, queue.namespace);
  const own = owner === undefined ? undefined : await installationOf(config);
  if (owner === undefined || own === undefined) return [];
  const name = "queue owner";
  if (owner === own) return [{ name, state: "ok", message: `this installation, ${own}` }];
  const why = "equal run and job ids of two installations would be taken for the same";
  return [{ name, state: "failed", message: foreign(config), why, hint: remedy }];
}

/** An index that somebody has open belongs to a controller, which was let in. */
async function installationOf(config: Config): Promise<string | undefined> {
  const path = dataPaths(config.dataDirectory).index;
  try {
    await access(path);
    const index = await ObjectIndex.open(path, { readOnly: true });
    try {
      return await index.terms.installation();
    } finally {
      await index.close();
    }
  } catch {
    return undefined;
  }
}

function foreign({ queue, dataDirectory }: Config): string {
  return (
    `the queues under queue.prefix ${queue.prefix} belong to another installation, not to the ` +
    `index in ${dataDirectory}`
  );
}

const remedy =
  "give this installation a `queue.prefix` of its own, the same on its controllers and workers";
