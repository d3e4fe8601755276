import { join } from "node:path";
import { expect, test } from "vitest";
import { copyOn, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";
import { begunAt, copyEntry, lister, take } from "./take-listing.ts";

test("what a listing only confirms is as it was, but checked later; other bytes are not verified", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  const objects = [known(1, "verified"), known(2, "claimed"), known(3, "verified", "elsewhere/3")];
  const other = [known(5, "verified", "place/5", "car"), known(6, "verified", "pin/6", "dag")];
  await index.putObjects([...objects, known(4, "verified"), ...other], start);
  const before = await copies();
  const { list } = lister([1, 2, 3, 5, 6].map((number) => listed(number)));
  const { found } = await take(index, folder, list);
  expect(found).toMatchObject({ confirmed: 4, lost: 1, changed: 1 });
  const checked_at = begunAt;
  expect(await copies()).toEqual([
    { ...before[0], checked_at },
    { ...before[1], checked_at, confidence: "listed" },
    // A file in another place, or in another form, is one that nobody has hashed.
    { ...before[2], checked_at, locator: "place/3", confidence: "listed", verified_at: null },
    { ...before[3], checked_at, confidence: "listed", state: "lost", verified_at: null },
    { ...before[4], checked_at, form: "file", confidence: "listed", verified_at: null },
    // What is named by its content is that content under any other name.
    { ...before[5], checked_at, locator: "place/6" },
  ]);
  expect(await index.checkSummaries()).toEqual([]);
  const [hot] = await index.backends();
  expect(hot).toMatchObject({ usedBytes: 5 * copyOn("hot").copy.bytes });

  async function copies() {
    await using session = await index.session();
    return await session.rows({ text: "FROM copies ORDER BY object_id", parameters: [] });
  }
});

type Form = "file" | "car" | "dag";

/** With a verified or claimed copy, where the listing has it unless another place is given. */
function known(
  number: number,
  confidence: "claimed" | "verified",
  locator = `place/${number}`,
  form: Form = "file",
) {
  return objectOf(number, [
    { ...copyOn("hot"), confidence, copy: { ...copyOn("hot").copy, locator, form } },
  ]);
}

/** As the backend lists it: 6 as a pin, all others as files. */
function listed(number: number) {
  const { copy, ...rest } = copyEntry(number);
  const form: Form = number === 6 ? "dag" : "file";
  return { ...rest, copy: { ...copy, form } };
}
