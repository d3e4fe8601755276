import { join } from "node:path";
import { expect, test } from "vitest";
import type { InventorySource, ListedEntry } from "#index/inventories/inventory-store.ts";
import { cidOf, copyOn, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";

const claimed = (form: "car" | "file", bytes: number) => {
  const { copy, ...rest } = copyOn("hot", "claimed", start, bytes);
  return { ...rest, copy: { ...copy, form } };
};

const listed = (number: number, bytes: number, form: "car" | "file"): ListedEntry => {
  const copy = { locator: `place/${number}`, form, bytes } as const;
  return { cid: cidOf(number), copy, size: undefined, cursor: String(number).padStart(4, "0") };
};

test("what nobody measured is asked for, and other bytes then are a correction, no damage", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(
    [
      objectOf(1, [claimed("car", 900)]),
      objectOf(2, [claimed("file", 900)]),
      objectOf(3, [copyOn("hot", "listed", start, 0)]),
      objectOf(4, [copyOn("hot", "listed", start, 70)]),
      objectOf(5, [{ ...claimed("car", 70), confidence: "listed" }]),
    ],
    start,
  );
  const heard: (number | undefined)[] = [];
  const entries: InventorySource["entries"] = async function* (_, knownBytes) {
    heard.push(...(await knownBytes([1, 2, 3, 4, 5].map(cidOf))));
    yield* [
      listed(1, 950, "car"),
      listed(2, 950, "file"),
      listed(3, 0, "file"),
      listed(4, 70, "file"),
      listed(5, 71, "car"),
    ];
  };
  const source = { backend: "hot", source: "listing", folder, begunAt: new Date("2026-01-02") };
  const how = { dryRun: false, restart: false, isLate: false, look: async () => undefined };
  const steps = await Array.fromAsync(index.inventories.take({ ...source, ...how, entries }));
  const found = steps.at(-1)?.found;
  await using session = await index.session();
  expect(heard).toEqual([undefined, undefined, undefined, 70, 70]);
  expect(found).toMatchObject({ listed: 5, confirmed: 2, lost: 0, unexpected: 0, changed: 3 });
  const differences = await session.rows({
    text: "SELECT kind, detail, object_id, bytes, believed_bytes FROM differences ORDER BY 3",
    parameters: [],
  });
  expect(differences.map((one) => Object.values(one).join(" "))).toEqual([
    "changed size 0 950 900",
    "changed size 1 950 900",
    "changed size 4 71 70",
  ]);
  const copies = await session.rows({
    text: "SELECT object_id, state, confidence, bytes FROM copy ORDER BY object_id",
    parameters: [],
  });
  expect(copies.map((copy) => Object.values(copy).join(" "))).toEqual([
    "0 present listed 950",
    "1 corrupt listed 950",
    "2 present listed 0",
    "3 present listed 70",
    "4 corrupt listed 71",
  ]);
  expect(await index.checkSummaries()).toEqual([]);
});
