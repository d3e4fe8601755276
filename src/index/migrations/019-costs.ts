import type { Migration } from "#index/migration.ts";

/**
 * What is spent, in whole shares of a dollar (`#model/cost-sql.ts`): what each action of an open
 * run may still cost, what is so reserved for each policy, and what has been paid on each day
 * (UTC). Decimals, since Parquet has no whole numbers of 128 bits.
 */
export const costs: Migration = {
  number: 19,
  name: "costs",
  statements: [
    `CREATE TABLE action_costs (
       run_key BIGINT NOT NULL, sequence BIGINT NOT NULL, policy VARCHAR NOT NULL,
       copying DECIMAL(38, 0) NOT NULL, removing DECIMAL(38, 0) NOT NULL)`,
    `CREATE TABLE reserved_costs (
       run_key BIGINT NOT NULL, policy VARCHAR NOT NULL, amount DECIMAL(38, 0) NOT NULL)`,
    `CREATE TABLE settled_costs (
       policy VARCHAR NOT NULL, day DATE NOT NULL, amount DECIMAL(38, 0) NOT NULL)`,
  ],
};
