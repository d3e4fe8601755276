import { join } from "node:path";
import { expect, test } from "vitest";
import { copyOn, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";
import { begunAt, entry, lister, take } from "./take-listing.ts";

test("what a listing only confirms is as it was, but checked later; what it moves is written", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  const objects = [known(1, "verified"), known(2, "claimed"), known(3, "verified", "elsewhere/3")];
  await index.putObjects([...objects, known(4, "verified")], start);
  const before = await copies();
  const { list } = lister([entry(1), entry(2), entry(3)]);
  expect((await take(index, folder, list)).found).toMatchObject({ confirmed: 3, lost: 1 });
  const checked_at = begunAt;
  expect(await copies()).toEqual([
    { ...before[0], checked_at },
    { ...before[1], checked_at, confidence: "listed" },
    { ...before[2], checked_at, locator: "place/3" },
    { ...before[3], checked_at, confidence: "listed", state: "lost", verified_at: null },
  ]);
  expect(await index.checkSummaries()).toEqual([]);
  const [hot] = await index.backends();
  expect(hot).toMatchObject({ usedBytes: 3 * copyOn("hot").copy.bytes });

  async function copies() {
    await using session = await index.session();
    return await session.rows({ text: "FROM copies ORDER BY object_id", parameters: [] });
  }
});

/** With a verified or claimed copy, where the listing has it unless another place is given. */
function known(number: number, confidence: "claimed" | "verified", locator = `place/${number}`) {
  return objectOf(number, [
    { ...copyOn("hot"), confidence, copy: { ...copyOn("hot").copy, locator } },
  ]);
}
