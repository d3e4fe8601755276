import { CID } from "multiformats/cid";
import { expect, test } from "vitest";
import { csvCell } from "#cli/output/csv-cell.ts";
import { toJsonText } from "#cli/output/json.ts";

const text = "bafkreiaquvkhn5uscolrji7qkzm4v6h64epbpiva5ldn3jt2b2x26hqka4";
const cid = CID.parse(text).bytes;
const old = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG";

test("bytes that are a CID are written as its text, wherever they stand", () => {
  const row = { cid, list: [Buffer.from(cid), CID.parse(old).bytes] };
  expect(JSON.parse(toJsonText(row))).toEqual({ cid: text, list: [text, old] });
  expect(csvCell(cid)).toBe(text);
});

test("other bytes are hexadecimal digits, also where they begin like a CID", () => {
  const longer = Uint8Array.from([...cid, 0]);
  for (const bytes of [longer, cid.slice(0, -1), Uint8Array.from([1, 0x55, 0, 0]), cid.slice(1)]) {
    const hex = Buffer.from(bytes).toString("hex");
    expect(toJsonText({ bytes })).toBe(`{"bytes":"${hex}"}`);
  }
});
