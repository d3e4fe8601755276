import { afterEach, beforeEach, expect, it } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import type { UndoReport, UndoRequest } from "#model/undo.ts";
import { sampleAction } from "../api/sample-values.ts";
import { CommandLine } from "./command-line.ts";
import { examplePlan, exampleRun } from "./examples.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

it("undo shows what would be made again and what cannot, asks, and starts exactly that", async () => {
  const asked: UndoRequest[] = [];
  const report: UndoReport = {
    run: "run-7",
    removed: { copies: 20, bytes: 2_048 },
    plan: examplePlan(),
    sample: [sampleAction],
    back: 2,
    blocked: [],
    gone: [{ backend: "#9", copies: 1 }],
    made: { copies: 20, bytes: 2_048 },
    marked: 3,
    started: undefined,
  };
  const api: Partial<EngineApi> = {
    undoRun: (request) => {
      asked.push(request);
      return Promise.resolve(
        request.dryRun === true ? report : { ...report, started: exampleRun("completed") },
      );
    },
    backends: () => Promise.resolve([]),
    run: () => Promise.resolve(exampleRun("completed")),
  };
  const dry = await line.run(["undo", "run-7", "--dry-run"], { api });
  expect(dry.code).toBe(0);
  expect(dry.stdout).toContain("run run-7 removed 20 copies, 2.00 KiB");
  expect(dry.stdout).toContain("1 of them were on backend #9, which is not configured any more");
  expect(dry.stdout).toContain("it marked 3 objects for deletion");
  expect(asked).toEqual([{ run: "run-7", dryRun: true }]);
  const no = await line.run(["undo", "run-7"], { api, isTerminal: true, input: "no\n" });
  expect([no.code, asked.length]).toEqual([7, 2]);
  expect((await line.run(["undo", "run-7", "--yes"], { api })).code).toBe(0);
  expect(asked.at(-1)).toEqual({ run: "run-7", expectCid: "bafyplan" });
});
