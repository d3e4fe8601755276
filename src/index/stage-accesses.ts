import { isOfSha256, tryCidKey } from "#index/cid-key.ts";
import { resolveDigests } from "#index/resolve-cids.ts";
import type { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Access } from "#model/index-store.ts";

/**
 * Makes the temporary table `resolved_accesses`: `object_id, read_at, weight, list`, the last of
 * which is the place of the list that the read stands in. Reads from the future count as of `now`.
 */
export async function stageAccesses(
  transaction: Transaction,
  lists: readonly (readonly Access[])[],
  now: Date,
): Promise<void> {
  let position = 0;
  const rows = lists.flatMap((accesses, list) =>
    accesses.map((access) => {
      const key = access.object.startsWith("/") ? undefined : tryCidKey(access.object);
      const bySha256 = key !== undefined && isOfSha256(key.bytes);
      const path = key === undefined ? access.object : null;
      const at = access.at > now ? now : access.at;
      const { weight, bytes = null } = access;
      return [
        position++,
        list,
        key?.key ?? null,
        key?.bytes ?? null,
        bySha256,
        path,
        at,
        weight,
        bytes,
      ];
    }),
  );
  await transaction.stage(
    "accesses",
    {
      position: "BIGINT",
      list: "INTEGER",
      cid_key: "BIGINT",
      cid: "BLOB",
      by_sha256: "BOOLEAN",
      path: "VARCHAR",
      read_at: "TIMESTAMP",
      weight: "DOUBLE",
      bytes: "DOUBLE",
    },
    rows,
  );
  await resolveDigests(transaction, "accesses");
  await transaction.run(resolvePaths);
  const hasShares = lists.some((accesses) => accesses.some(({ bytes }) => bytes !== undefined));
  await transaction.run(hasShares ? resolveShares : resolveWhole);
}

/** Throws USAGE for a read without a sound time or weight. */
export function checkAccess(access: Access): void {
  const { weight, bytes = 0, at } = access;
  const sound =
    [weight, bytes].every((value) => Number.isFinite(value) && value >= 0) &&
    !Number.isNaN(at.getTime());
  if (sound) return;
  throw new EngineError("USAGE", `a read of ${access.object} has no sound time or weight`, {
    hint: "weights are numbers from 0 up, times are ISO 8601",
  });
}

// A path may name several objects over time; the one known last is what is read now.
const resolvePaths = `
  CREATE OR REPLACE TEMP TABLE access_paths AS
  SELECT n.path, max(n.object_id) AS object_id
  FROM name AS n SEMI JOIN accesses AS a ON a.path = n.path
  GROUP BY n.path`;

const resolveAccesses = (weight: string, sizes: string): string => `
  CREATE OR REPLACE TEMP TABLE resolved_accesses AS
  SELECT coalesce(r.object_id, p.object_id) AS object_id, a.read_at, ${weight} AS weight, a.list
  FROM accesses AS a JOIN accesses_resolved AS r USING (position)
  LEFT JOIN access_paths AS p ON p.path = a.path ${sizes}`;

const resolveWhole = resolveAccesses("a.weight", "");

// Sizes are looked up only for logs that have ranged reads: it is one more scan of the objects.
const resolveShares = resolveAccesses(
  "a.weight * coalesce(least(1, a.bytes / nullif(o.size, 0)), 1)",
  "LEFT JOIN objects AS o ON o.object_id = coalesce(r.object_id, p.object_id)",
);
