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

/** Rules that free only what is needed, with others that matter to the same copies. */
const bounded = (
  bounds: string,
  order: string,
): string => `- {name: kept, where: owner = "owner-7", hold: true}
- {name: scratch, where: path like "/scratch/**" and idle > 14d, delete: {grace: 7d}}
- {name: spill, where: size > 1KiB, order: [${order}], demote: {from: tier = hot, to: tier = cold, ${bounds}}}`;

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
    const needed = await explainNeeds(bench, index);
    return [limited(explained), explained, found, ...needed];
  },
} satisfies Benchmark;

/** Explain where it is asked what a mark or a quota makes of one object among all others. */
async function explainNeeds(bench: Workbench, index: ObjectIndex): Promise<readonly Measurement[]> {
  const hot = (await index.backends()).find(({ name }) => name === "on-hot");
  const used = hot?.usedBytes ?? 0;
  const share = (part: number) => `${Math.ceil(used * part)}B`;
  const sets = [
    ["a mark that is exceeded by 2 %", `above: ${share(0.99)}, until: ${share(0.98)}`],
    ["a mark that is not exceeded", `above: ${share(1.1)}, until: ${share(1.05)}`],
    ["quotas that are exceeded by half", `quota: {per: owner, bytes: ${share(0.5 / 200)}}`],
  ] as const;
  const measured: Measurement[] = [];
  await using session = await index.session();
  for (const [what, bounds] of sets) {
    const source = await explaining(bench, index, bounded(bounds, "heat asc, size desc"));
    let round = 0;
    const compared = await compare({
      what: `explain one object: ${what}`,
      rounds: bench.rounds,
      ours: async () => {
        round += 1;
        const object = sampleCid((round * 104_729) % bench.objects).toString();
        await explainNow(source, { object });
      },
      peer: async () => {
        const text = "SELECT count(*) FROM object o WHERE o.heat_weight > 2 AND o.size > 1024";
        await session.rows({ text, parameters: [] });
      },
      peerName: "a count of all objects by two columns",
    });
    measured.push(compared);
  }
  return measured;
}

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
async function explaining(
  bench: Workbench,
  index: ObjectIndex,
  text = rules,
): Promise<ExplainSource> {
  await makeWorkspace(bench.folder, text);
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
    watch: { healthOf: () => undefined },
  };
}
