import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { CID } from "multiformats/cid";
import * as digest from "multiformats/hashes/digest";
import { onTestFinished } from "vitest";
import { ObjectIndex, type ObjectIndexOptions } from "#index/object-index.ts";
import { freeOfCharge } from "#model/backend.ts";
import type { Confidence } from "#model/copy.ts";
import type { BackendFacts, NewCopy, NewObject } from "#model/index-store.ts";
import { undescribed } from "./undescribed.ts";

/** The moment at which tests begin. */
export const start = new Date("2026-01-01T00:00:00Z");

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-index-"));
  onTestFinished(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A new index with the given backends that is closed after the test. */
export async function openIndex(
  backends: readonly string[] = ["hot", "warm", "cold"],
  options: ObjectIndexOptions = {},
): Promise<{ index: ObjectIndex; path: string; folder: string }> {
  const folder = await temporaryFolder();
  const path = join(folder, "index.duckdb");
  const index = await ObjectIndex.open(path, { threads: 2, now: () => start, ...options });
  onTestFinished(async () => {
    await index.close();
  });
  await index.syncBackends(backends.map((name) => backendFacts(name)));
  return { index, path, folder };
}

export function backendFacts(name: string): BackendFacts {
  return {
    name,
    driver: "local",
    tier: "hot",
    region: "eu",
    labels: { rack: "a" },
    capacityBytes: 2 ** 40,
    price: freeOfCharge,
    capabilities: {
      forms: ["file", "car"],
      operations: ["read", "write", "remove", "list", "verify"],
      confidence: ["listed", "verified"],
      ranges: "bytes",
      create: "atomic",
      bytesMax: undefined,
    },
  };
}

/** A raw CID that belongs to a number. */
export function cidOf(number: number): string {
  const hash = createHash("sha256").update(`object ${number}`).digest();
  return CID.createV1(0x55, digest.create(0x12, hash)).toString();
}

export function objectOf(
  number: number,
  copies: readonly NewCopy[] = [],
  more: Partial<NewObject> = {},
): NewObject {
  return {
    cid: cidOf(number),
    size: 1_000 + number,
    profile: "raw-sha256",
    names: [`/data/${number}.bin`],
    ...undescribed,
    copies,
    ...more,
  };
}

export function copyOn(
  backend: string,
  confidence: Confidence = "verified",
  checkedAt: Date = start,
  bytes = 100,
): NewCopy {
  const copy = { locator: `at ${backend}`, form: "file", bytes } as const;
  return { backend, copy, state: "present", confidence, checkedAt };
}
