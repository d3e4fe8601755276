import type { Migration } from "#index/migration.ts";

const rank = `CASE WHEN p.victim IS NULL THEN 0 WHEN p.target IS NOT NULL THEN 1 ELSE 2 END`;

/** Batches know which batches of their run must end before them: those about the same objects. */
export const needsOfBatches: Migration = {
  number: 4,
  name: "needs of batches",
  statements: [
    "CREATE TABLE batch_needs (run_key BIGINT NOT NULL, number BIGINT NOT NULL, needs BIGINT NOT NULL)",
    `INSERT INTO batch_needs
     WITH placed AS (
       SELECT b.run_key, b.number, p.object_id, ${rank} AS rank
       FROM runs AS r JOIN plan_actions AS p USING (plan_key)
       JOIN batches AS b ON b.run_key = r.run_key AND p.sequence >= b.first
         AND p.sequence < b.past
       WHERE r.ended_at IS NULL)
     SELECT DISTINCT late.run_key, late.number, early.number
     FROM placed AS late JOIN placed AS early USING (run_key, object_id)
     WHERE early.rank < late.rank`,
  ],
};
