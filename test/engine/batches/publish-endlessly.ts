// Publishes batches of some megabytes until it is killed: <folder>. Says so after each.
import { ObjectIndex } from "#index/object-index.ts";
import { BatchRegistry } from "#engine/batches/batch-registry.ts";

const [directory = ""] = process.argv.slice(2);
const registry = new BatchRegistry(directory);
const index = await ObjectIndex.open(`${directory}/${process.pid}.duckdb`, { threads: 1 });
for (let round = 0; ; round += 1) {
  await using session = await index.session();
  const text = `SELECT range + ${round} AS n, 'row ' || range AS t FROM range(300000)`;
  const { cid } = await registry.publish(session.userArrow(text, "file"));
  console.log(cid);
}
