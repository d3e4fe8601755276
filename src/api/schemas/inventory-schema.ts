import { z } from "zod";
import type { UnfinishedWrites } from "#model/driver.ts";
import {
  type AskedLocks,
  type DriftEntry,
  driftDetails,
  driftKinds,
  type InventoryProgress,
  type InventoryReport,
} from "#model/inventory.ts";
import { count, optionalText, shapeOf } from "#model/shape.ts";

/** What an inventory found, in figures. */
export const inventoryReportSchema = shapeOf<InventoryReport>({
  backend: z.string(),
  source: z.string(),
  begunAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  listed: count,
  confirmed: count,
  lost: count,
  unexpected: count,
  changed: count,
  foreign: count,
});

/** One line of the progress of an inventory. */
export const inventoryProgressSchema = shapeOf<InventoryProgress>({
  type: z.enum(["progress", "summary"]),
  phase: z.enum(["listing", "checking", "comparing"]),
  listed: count,
  total: count,
  bytes: count,
  bytesTotal: count,
  foreign: count,
  earlier: count,
  earlierBegunAt: z.iso.datetime().optional(),
  elapsedMs: z.number(),
  report: inventoryReportSchema.optional(),
  unfinished: shapeOf<UnfinishedWrites>({
    found: count,
    abandoned: count,
    abandonedBytes: count,
  }).optional(),
  locks: shapeOf<AskedLocks>({ asked: count, locked: count, problem: optionalText }).optional(),
});

/** One copy that is not as the index believed. */
export const driftEntrySchema = shapeOf<DriftEntry>({
  backend: z.string(),
  kind: z.enum(driftKinds),
  detail: z.enum(driftDetails).optional(),
  cid: z.string(),
  path: optionalText,
  locator: z.string(),
  form: optionalText,
  bytes: count.optional(),
  believedBytes: count.optional(),
});
