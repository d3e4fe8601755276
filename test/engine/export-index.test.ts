import { spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CarReader } from "@ipld/car";
import { tableFromIPC } from "apache-arrow";
import { exporter } from "ipfs-unixfs-exporter";
import { beforeEach, expect, test } from "vitest";
import { exportObjects, type ObjectSource } from "#engine/objects.ts";
import { pyarrow } from "../../scripts/services/pyarrow.ts";
import { copyOn, objectOf, openIndex, start } from "../index/open-index.ts";
import { indexSource } from "./index-source.ts";

const found = pyarrow.find();
const missing = found.available ? "" : ` (skipped: ${found.reason})`;
/** A program that knows nothing of us. */
const program = `
import json, sys
import pyarrow as pa, pyarrow.parquet as pq
path = sys.argv[1]
table = pq.read_table(path) if path.endswith(".parquet") else pa.ipc.open_file(pa.memory_map(path)).read_all()
pick = ["object_id", "backend", "state", "confidence"]
print(json.dumps({"rows": table.num_rows, "last": table.select(pick).to_pylist()[-1]}))
`;

let source: ObjectSource;
let folder: string;

beforeEach(async () => {
  const opened = await openIndex(["hot", "cold"]);
  ({ folder } = opened);
  const objects = Array.from({ length: 3_000 }, (_, number) =>
    objectOf(number, [copyOn("hot"), copyOn("cold", "listed")], { size: number }),
  );
  await opened.index.putObjects(objects, start);
  source = await indexSource(opened.index, start);
});

test("copies of chosen objects are rows of their own, in order of arrival", async () => {
  const file = join(folder, "copies.arrow");
  const where = "size < 2B";
  expect(await exportObjects(source, { where, per: "copy", file })).toMatchObject({ rows: 4 });
  const table = tableFromIPC(await readFile(file));
  const of = (name: string) => [...(table.getChild(name) ?? [])].map(String);
  expect(of("object_id")).toEqual(["0", "0", "1", "1"]);
  expect(of("backend")).toEqual(["hot", "cold", "hot", "cold"]);
  expect(of("confidence")).toEqual(["verified", "listed", "verified", "listed"]);
});

test.skipIf(!found.available).for(["parquet", "arrow"])(
  `Arrow for Python reads what is exported as %s${missing}`,
  async (format) => {
    const file = join(folder, `copies.${format}`);
    await exportObjects(source, { per: "copy", file });
    const python = found.available ? found.path : "";
    const { stdout, stderr } = spawnSync(python, ["-c", program, file], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      rows: 6_000,
      last: { object_id: 2_999, backend: "cold", state: "present", confidence: "listed" },
    });
  },
);

test("a CAR has the Arrow file as its blocks, and its CID as the root", async () => {
  const [arrow, car] = [join(folder, "objects.arrow"), join(folder, "objects.car")];
  const where = "size >= 10B";
  await exportObjects(source, { where, file: arrow });
  const written = await exportObjects(source, { where, file: car });
  expect(written).toMatchObject({ rows: 2_990, file: car });
  const reader = await CarReader.fromBytes(await readFile(car));
  const [root] = await reader.getRoots();
  if (root === undefined) throw new Error("the CAR has no root");
  expect(root.toString()).toBe(written.cid);
  const entry = await exporter(root, {
    get: async function* (cid) {
      const block = await reader.get(cid);
      if (block === undefined) throw new Error(`no block ${cid.toString()}`);
      yield block.bytes;
    },
  });
  if (entry.type === "directory" || entry.type === "object") throw new Error(entry.type);
  const content = Buffer.concat(await Array.fromAsync(entry.content()));
  expect(content.equals(await readFile(arrow))).toBe(true);
  expect((await readdir(folder)).filter((name) => name.includes(".car."))).toEqual([]);
});
