import type { EngineContext } from "#engine/context.ts";

/** What a policy has cost since the index was made, and what its open runs may still cost. */
export interface PolicySpending {
  readonly policy: string;
  readonly settledUsd: number;
  readonly reservedUsd: number;
}

/** By policy, in their order. */
export async function readSpending({
  index,
}: Pick<EngineContext, "index">): Promise<readonly PolicySpending[]> {
  await using session = await index.session();
  const rows = await session.rows({
    text: `SELECT policy, coalesce(sum(usd) FILTER (day IS NOT NULL), 0) AS settled,
             coalesce(sum(usd) FILTER (day IS NULL), 0) AS reserved
           FROM spending GROUP BY policy ORDER BY policy`,
    parameters: [],
  });
  return rows.map(({ policy, settled, reserved }) => {
    return {
      policy: String(policy),
      settledUsd: Number(settled),
      reservedUsd: Number(reserved),
    };
  });
}
