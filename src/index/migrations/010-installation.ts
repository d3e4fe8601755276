import type { Migration } from "#index/migration.ts";

/** A name of the installation, made once: it travels with every copy of its index. */
export const installation: Migration = {
  number: 10,
  name: "installation",
  statements: [`CREATE TABLE installation AS SELECT uuid()::VARCHAR AS id`],
};
