import type { DriftEntry, InventoryReport } from "#model/inventory.ts";

export const sampleInventory: InventoryReport = {
  backend: "hot/1",
  source: "listing",
  begunAt: "2026-03-01T12:00:00.000Z",
  endedAt: "2026-03-01T12:01:00.000Z",
  listed: 3,
  confirmed: 1,
  lost: 1,
  unexpected: 1,
  changed: 1,
  foreign: 2,
};

export const sampleInventoryProgress = {
  listed: 3,
  total: 3,
  bytes: 30,
  bytesTotal: 40,
  foreign: 2,
  earlier: 1,
  elapsedMs: 60_000,
};

export const sampleDrift: DriftEntry = {
  backend: "hot/1",
  kind: "lost",
  cid: "bafkreisample",
  path: "/träger/a b&c.txt",
  locator: "objects/abc/x",
  form: "file",
  believedBytes: 5,
};
