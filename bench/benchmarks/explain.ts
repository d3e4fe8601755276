import { type ExplainSource, explainNow } from "#engine/explain.ts";
import { PolicyBook } from "#engine/policy-book.ts";
import { cidKey } from "#index/cid-key.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { makeWorkspace, workspaceConfig } from "../bench-workspace.ts";
import { livelyTime, makeLivelyIndex } from "../lively-index.ts";
import type { Benchmark, Measurement } from "../runner/benchmark.ts";
import { compare, counted } from "../runner/compare.ts";
import type { Workbench } from "../runner/workbench.ts";
import { sampleCid } from "../sample-objects.ts";

/** Objects that one round asks for. */
const asked = 10;
const secondsMax = 1;

const rules = `- {name: kept, where: owner = "owner-7", hold: true}
- name: two-while-warm
  where: heat >= 2 and not held
  ensure: {copies: 2, on: tier <= cold, confidence: verified}
- name: cool
  where: idle > 30d and heat < 0.5 and size >= 1MiB
  order: [heat asc, size desc]
  limit: {objects: 100k}
  demote: {from: tier = hot, to: tier = cold}
- {name: deep, where: age > 180d and copies(tier >= cold) >= 1, evict: {from: tier = hot}}
- {name: scratch, where: path like "/scratch/**" and idle > 14d, delete: {grace: 7d}}`;

export default {
  name: "explain",
  about: "why the plan does or does not do something with one object, by CID",
  prepare: ({ folder, objects }) => makeLivelyIndex(`${folder}/index.duckdb`, objects),
  async measure(bench) {
    const index = await bench.openIndex();
    const source = await explaining(bench, index);
    let round = 0;
    const objects = () => {
      round += 1;
      return Array.from({ length: asked }, (_, at) =>
        sampleCid((at * 7_919 + round * 104_729) % bench.objects).toString(),
      );
    };
    await using session = await index.session();
    const explained = await compare({
      what: "explain one object",
      rounds: bench.rounds,
      times: asked,
      ours: async () => {
        for (const object of objects()) await explainNow(source, { object });
      },
      peer: async () => {
        for (const object of objects()) {
          const { key, bytes } = cidKey(object);
          const text = "SELECT * FROM object WHERE object_id IN " + pointLookUp;
          await session.rows({ text, parameters: [key, bytes] });
        }
      },
      peerName: "its row in the index",
    });
    const found = await compare({
      what: "find one object by CID",
      rounds: bench.rounds,
      times: asked,
      ours: async () => {
        for (const object of objects()) await index.findObject(object);
      },
      peer: async () => {
        for (const object of objects()) {
          const { key, bytes } = cidKey(object);
          await session.rows({ text: `FROM ${pointLookUp}`, parameters: [key, bytes] });
        }
      },
      peerName: "one statement",
    });
    return [limited(explained), explained, found];
  },
} satisfies Benchmark;

/** The same against the time that a person is asked to wait. */
function limited({ ours, processor }: Measurement): Measurement {
  return {
    ...counted({
      what: "explain, and how long a person waits for it",
      ours,
      peer: secondsMax,
      peerName: "the limit",
      unit: "s",
      better: "less",
      goal: 1,
    }),
    ...(processor && {
      processor: { ...processor, peer: secondsMax, ratio: processor.ours / secondsMax },
    }),
  };
}

const pointLookUp = "(SELECT object_id FROM objects WHERE cid_key = $1 AND cid = $2)";

/** What explain needs of an engine, with the policies in a file as people have them. */
async function explaining(bench: Workbench, index: ObjectIndex): Promise<ExplainSource> {
  await makeWorkspace(bench.folder, rules);
  const config = await workspaceConfig(bench.folder);
  return {
    config,
    index,
    policies: new PolicyBook(config, await loadAttributes()),
    now: () => livelyTime,
    moment: async (now) => ({
      now,
      backends: await index.backends(),
      heat: await index.heat(),
    }),
  };
}
