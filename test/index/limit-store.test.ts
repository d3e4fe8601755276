import { expect, test } from "vitest";
import { openIndex, start } from "./open-index.ts";

test("limits that were set while running are kept, replaced and taken back, with ledger entries", async () => {
  const { index } = await openIndex();
  await index.limits.setOverride({ backend: "hot", concurrency: 2, rate: "5/s" }, start);
  const second = {
    backend: "hot",
    bandwidth: "10M:1M",
    perNode: 3,
    until: "2030-01-01T00:00:00.000Z",
    reason: "at night",
  };
  await index.limits.setOverride(second, start);
  await index.limits.setOverride({ backend: "cold", concurrency: 1 }, start);
  expect(await index.limits.overrides()).toEqual([{ backend: "cold", concurrency: 1 }, second]);
  await index.limits.removeOverride("hot", start);
  expect(await index.limits.overrides()).toEqual([{ backend: "cold", concurrency: 1 }]);
  await using session = await index.session();
  const rows = await session.rows({
    text: "SELECT kind, reason FROM ledger ORDER BY entry_id",
    parameters: [],
  });
  expect(rows.map(({ kind, reason }) => `${String(kind)} ${String(reason)}`)).toEqual([
    "limits set",
    "limits set",
    "limits set",
    "limits reset",
  ]);
});
