import type { Migration } from "#index/migration.ts";

/** Standing pauses; batches know that they were cancelled, and why. */
export const pausesAndCancels: Migration = {
  number: 7,
  name: "pauses and cancels",
  statements: [
    `CREATE TABLE pauses (
       scope VARCHAR NOT NULL, name VARCHAR NOT NULL, reason VARCHAR NOT NULL,
       actor VARCHAR NOT NULL, since TIMESTAMP NOT NULL, until TIMESTAMP)`,
    "ALTER TABLE batches ADD COLUMN cancel_reason VARCHAR",
  ],
};
