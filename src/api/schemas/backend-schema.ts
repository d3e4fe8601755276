import { z } from "zod";
import type { PriceCard } from "#model/backend.ts";
import {
  type BackendStatus,
  type BackendTrouble,
  type DriverCapabilities,
  driverOperations,
} from "#model/driver.ts";
import type { BackendReport } from "#model/engine-api.ts";
import { confidences, forms, tiers } from "#model/copy.ts";
import { backendHealthSchema } from "#api/schemas/failure-schema.ts";
import { count, optionalText, shapeOf } from "#model/shape.ts";

/** A backend with what its storage answered just now, or why it did not. */
export const backendSchema = shapeOf<BackendReport>({
  id: count,
  name: z.string(),
  driver: z.string(),
  tier: z.enum(tiers),
  region: optionalText,
  labels: z.record(z.string(), z.string()),
  capacityBytes: count.optional(),
  usedBytes: count,
  freeBytes: z.number().optional(),
  cordoned: z.boolean(),
  price: shapeOf<PriceCard>({
    perGibMonth: z.number(),
    perWrite: z.number(),
    perRead: z.number(),
    egressPerGib: z.number(),
    retrievalPerGib: z.number(),
    minimumDurationMs: count,
    minimumBytes: count,
  }),
  capabilities: shapeOf<DriverCapabilities>({
    forms: z.array(z.enum(forms)),
    operations: z.array(z.enum(driverOperations)),
    confidence: z.array(z.enum(confidences)),
    ranges: z.enum(["none", "bytes"]),
    create: z.enum(["atomic", "last-writer-wins"]),
    bytesMax: count.optional(),
    inventoryFiles: z.literal("s3").optional(),
    unfinishedWrites: z.literal(true).optional(),
    garbage: z.literal(true).optional(),
    storesByName: z.literal(true).optional(),
    thaw: z.literal(true).optional(),
    locks: z.literal(true).optional(),
  }),
  sameAs: z.array(count).optional(),
  health: backendHealthSchema,
  status: z.union([
    z.string(),
    shapeOf<BackendStatus>({
      server: z.string(),
      writable: z.boolean(),
      usedBytes: count.optional(),
      freeBytes: count.optional(),
      totalBytes: count.optional(),
    }),
  ]),
  hint: z.string().optional(),
  troubles: z.array(
    shapeOf<BackendTrouble>({
      state: z.enum(["warn", "failed"]),
      message: z.string(),
      hint: z.string().optional(),
    }),
  ),
});
