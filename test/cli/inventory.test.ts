import { afterEach, beforeEach, expect, test } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import { sampleInventory, sampleInventoryProgress } from "../api/sample-inventory.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

/** Lists so many copies where the index expects ten. */
function listing(listed: number): Partial<EngineApi> {
  const step = { ...sampleInventoryProgress, listed, total: 10, bytes: listed, bytesTotal: 10 };
  return {
    async *importInventory() {
      await Promise.resolve();
      yield { type: "progress", phase: "listing", ...step };
      yield { type: "summary", phase: "comparing", ...step, report: sampleInventory };
    },
  };
}

const manyUnexpected: EngineApi["inventories"] = () =>
  Promise.resolve([{ ...sampleInventory, unexpected: 100_000 }]);

test("an inventory that lists more than the index expects does not say that it is at the end", async () => {
  const within = await line.run(["import", "inventory", "hot"], { api: listing(4) });
  expect(within.stderr).toContain("inventory: 4 of 10 copies, 4 B of 10 B");
  const beyond = await line.run(["import", "inventory", "hot"], { api: listing(12_000) });
  expect(beyond.stderr).toContain("inventory: 12,000 copies, 11.7 KiB\n");
  expect(beyond.stderr).toContain("inventory: 12,000 of 12,000 copies");
});

test("the figures of drift are written as all others", async () => {
  const { stderr } = await line.run(["drift"], { api: { inventories: manyUnexpected } });
  expect(stderr).toContain("100,000 unexpected");
});
