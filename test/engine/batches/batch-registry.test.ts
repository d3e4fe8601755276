import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow";
import { expect, test } from "vitest";
import { openIndex, temporaryFolder } from "../../index/open-index.ts";
import { message, openRegistry } from "./message.ts";

test("a batch lies under the CID of its bytes, and is found by the beginning of it", async () => {
  const registry = await openRegistry({ now: () => new Date("2026-01-01T00:00:00Z") });
  const batch = registry.publishBytes(message(7), { kind: "test" });
  expect(batch).toMatchObject({
    rows: 1,
    created: "2026-01-01T00:00:00.000Z",
    columns: [
      { name: "from", type: "Int32" },
      { name: "number", type: "Float64" },
    ],
    tags: { kind: "test" },
  });
  expect(await readFile(join(registry.directory, `${batch.cid}.arrow`))).toEqual(
    Buffer.from(message(7)),
  );
  expect(await registry.find(batch.cid.slice(0, 20))).toEqual(batch);
  expect(await registry.find("newest")).toEqual(batch);
  await expect(registry.find("bafkqnobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a query becomes a batch with all its rows, and the same rows the same batch", async () => {
  const { index } = await openIndex();
  const registry = await openRegistry({ durable: true });
  await using session = await index.session();
  const text = "SELECT range AS n, 'row ' || range AS t FROM range(150000)";
  const first = await registry.publish(session.userArrow(text, "file"), { round: "1" });
  const other = registry.publishBytes(message(1));
  const again = await registry.publish(session.userArrow(text, "file"), { round: "2" });
  expect(again.cid).toBe(first.cid);
  expect(first).toMatchObject({ rows: 150_000, columns: [{ name: "n" }, { name: "t" }] });
  expect((await registry.list()).map(({ cid, tags }) => [cid, tags])).toEqual([
    [again.cid, { round: "2" }],
    [other.cid, {}],
  ]);
  const table = tableFromIPC(await registry.bytes(first.cid));
  expect(table.numRows).toBe(150_000);
  expect(table.getChild("t")?.get(149_999)).toBe("row 149999");
  expect((await readdir(registry.directory)).filter((name) => name.startsWith("."))).toEqual([]);
});

test("damage is found by reading again, and a damaged batch is not given out", async () => {
  const registry = await openRegistry();
  const [good, bad, gone] = [1, 2, 3].map((number) => registry.publishBytes(message(number)));
  const path = registry.path(bad?.cid ?? "");
  const bytes = await readFile(path);
  bytes[bytes.length - 40] = (bytes.at(-40) ?? 0) ^ 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
  expect(await registry.check(good?.cid ?? "")).toMatchObject({ state: "intact" });
  expect(await registry.check(bad?.cid ?? "")).toMatchObject({ state: "damaged" });
  expect(await registry.check(gone?.cid.replace("b", "bb") ?? "")).toMatchObject({
    state: "missing",
  });
  await expect(registry.verified(bad?.cid ?? "")).rejects.toMatchObject({ code: "CORRUPT" });
  await expect(registry.bytes(bad?.cid ?? "")).rejects.toMatchObject({ code: "CORRUPT" });
  registry.publishBytes(message(2));
  expect(await registry.check(bad?.cid ?? "")).toMatchObject({ state: "intact" });
});

test("an Arrow file of another program is copied; what is none is refused and leaves nothing", async () => {
  const registry = await openRegistry();
  const table = tableFromArrays({ word: ["a", "b", "a"], when: [new Date(0), null, new Date(1)] });
  const file = join(await temporaryFolder(), "made.arrow");
  await writeFile(file, tableToIPC(table, "file"));
  const batch = await registry.publishFile(file, { by: "hand" });
  expect(batch).toMatchObject({ rows: 3, tags: { by: "hand" } });
  expect(await registry.check(batch.cid)).toMatchObject({ state: "intact" });
  for (const wrong of [tableToIPC(table, "stream"), Buffer.from("ARROW1\0\0no"), Buffer.alloc(0)]) {
    expect(() => registry.publishBytes(wrong)).toThrow("no file of Arrow");
    await writeFile(file, wrong);
    await expect(registry.publishFile(file)).rejects.toMatchObject({ code: "CORRUPT" });
  }
  await expect(registry.publishFile(`${file}.gone`)).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await registry.list()).toHaveLength(1);
  expect((await readdir(registry.directory)).toSorted()).toEqual([`${batch.cid}.arrow`, "journal"]);
});
