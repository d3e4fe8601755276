import type { Report } from "#model/report.ts";

/** Two groups, one of them without a name. */
export const sampleReport: Report = {
  report: "usage",
  by: "owner",
  at: "2026-03-01T12:00:00.000Z",
  columns: [
    { name: "objects", unit: "count", meaning: "objects of the group", charted: false },
    { name: "bytes", unit: "bytes", meaning: "bytes of these copies", charted: true },
  ],
  groups: 3,
  rows: [
    { group: "grâce", values: { objects: 1_200, bytes: 3_072 } },
    { values: { objects: 1, bytes: 0 } },
  ],
  totals: { objects: 1_300, bytes: 4_096 },
  budgets: [
    {
      of: "policy grâce",
      policy: "grâce",
      usd: 50,
      per: "month",
      settled: "48.2",
      reserved: "1.1",
      left: "0.7",
    },
  ],
};
