import type { Migration } from "#index/migration.ts";

/** How far imports of manifests have come that have not ended: they go on where they were cut off. */
export const imports: Migration = {
  number: 12,
  name: "imports",
  statements: [
    `CREATE TABLE imports (
       import_id VARCHAR NOT NULL, source VARCHAR NOT NULL, begun_at TIMESTAMP NOT NULL,
       updated_at TIMESTAMP NOT NULL, past BIGINT NOT NULL, rows BIGINT NOT NULL,
       bytes BIGINT NOT NULL, added BIGINT NOT NULL, known BIGINT NOT NULL,
       copies BIGINT NOT NULL, malformed BIGINT NOT NULL, left_out BIGINT NOT NULL,
       kept_bytes BIGINT NOT NULL)`,
  ],
};
