import type { Migration } from "#index/migration.ts";

/** What starts policies by itself: schedules and triggers, their state as JSON (Starter). */
export const starters: Migration = {
  number: 9,
  name: "starters",
  statements: [
    `CREATE TABLE starters (policy VARCHAR NOT NULL, name VARCHAR NOT NULL, state VARCHAR NOT NULL)`,
  ],
};
