import type { BatchApi } from "#model/batch-api.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { BatchRecord } from "#model/record-batch.ts";
import type { Calls } from "./sample-engine.ts";
import { at } from "./sample-values.ts";

export const sampleBatch: BatchRecord = {
  cid: "bafybatch",
  rows: 10,
  bytes: 1_234,
  created: at,
  columns: [{ name: "size", type: "Int64" }],
  tags: { kind: "é" },
};

type BatchMethods = BatchApi & Pick<EngineApi, "queryArrow" | "exportQuery">;

/** The part of the sample engine that is about record batches. */
export function sampleBatchEngine(calls: Calls): BatchMethods {
  const answer = <T>(value: T, ...call: Calls[number]): Promise<T> => {
    calls.push(call);
    return Promise.resolve(value);
  };
  const file = { file: "/exports/é.arrow", rows: 10, bytes: 1_234 };
  return {
    async *queryArrow(text, options) {
      yield await answer(Buffer.from([0xff, 0, 1]), "queryArrow", text, options);
    },
    exportQuery: (request) => answer(file, "exportQuery", request),
    publishBatch: (request) => answer(sampleBatch, "publishBatch", request),
    batches: (request) => answer([sampleBatch], "batches", request),
    async *batch(reference) {
      yield await answer(Buffer.from("ARROW1"), "batch", reference);
    },
    async *followBatches(after) {
      yield await answer({ cursor: "1.20", batch: sampleBatch }, "followBatches", after);
    },
    checkBatches: (batches) =>
      answer([{ cid: "bafybatch", state: "damaged", bytes: 7 }], "checkBatches", batches),
    exportBatch: (request) => answer(file, "exportBatch", request),
    collectBatches: (request) =>
      answer(
        { kept: 1, inUse: 0, removed: ["bafyother"], bytesRemoved: 5, leftovers: 2 },
        "collectBatches",
        request,
      ),
  };
}
