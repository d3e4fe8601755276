import type { Migration } from "#index/migration.ts";

/** Batches know their policy, runs their priority and what started them. */
export const policyOfBatches: Migration = {
  number: 2,
  name: "policy of batches",
  statements: [
    "ALTER TABLE batches ADD COLUMN policy VARCHAR DEFAULT ''",
    `UPDATE batches SET policy = split_part(p.rule, '/', 1)
     FROM runs AS r, plan_actions AS p
     WHERE r.run_key = batches.run_key AND p.plan_key = r.plan_key AND p.sequence = batches.first`,
    "ALTER TABLE runs ADD COLUMN priority INTEGER DEFAULT 0",
    "ALTER TABLE runs ADD COLUMN origin VARCHAR DEFAULT 'apply'",
  ],
};
