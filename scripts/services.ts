// Installs the servers that tests start and this machine lacks, and says what there is.
//   npm run services [-- --json] [-- --require NAME]…
import { pgbouncer } from "./services/pgbouncer.ts";
import { pyarrow } from "./services/pyarrow.ts";
import { redis } from "./services/redis.ts";
import type { ServiceReport } from "./services/service.ts";
import { installMissing, storageServices } from "./services/storage-services.ts";
import { scriptOptions } from "./script-options.ts";

const usage = "services [--json] [--require NAME]…";
const values = scriptOptions(usage, {
  json: { type: "boolean", default: false },
  /** Fail when this is missing, or anything (`all`): for a CI where no suite may be skipped. */
  require: { type: "string", multiple: true, default: [] },
});

const reports = installMissing([redis, pgbouncer, ...storageServices, pyarrow]);

if (values.json) console.log(JSON.stringify({ schemaVersion: 1, services: reports }, undefined, 2));
else printTable(reports);
const missing = reports.filter((report) => !report.available).map(({ service }) => service);
const required = (name: string): boolean =>
  values.require.some((wanted) => wanted === "all" || wanted === name);
if (missing.some(required)) process.exitCode = 1;

function printTable(rows: readonly ServiceReport[]): void {
  const cells = [
    ["service", "version", "how", "where"],
    ...rows.map((row) =>
      row.available
        ? [row.service, row.version, row.how, row.path]
        : [row.service, "-", "not available", row.reason],
    ),
  ];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of cells) {
    console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  }
}
