import type { Migration } from "#index/migration.ts";

/**
 * What rules with `run:` have done can fail as copies and removals do, on no backend at all and
 * with what a command said. Which steps there are is for the engine to know: text, no type.
 */
export const failuresOfRunRules: Migration = {
  number: 18,
  name: "failures of run rules",
  statements: [
    `ALTER TABLE failing_actions ALTER COLUMN step TYPE VARCHAR`,
    `DROP TYPE failure_step`,
    `ALTER TABLE failing_actions ALTER COLUMN backend_id DROP NOT NULL`,
    `ALTER TABLE failing_actions ADD COLUMN output VARCHAR`,
  ],
};
