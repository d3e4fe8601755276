import { expect, test } from "vitest";
import type { Backend } from "#model/backend.ts";
import { explainObject } from "#policies/explain/explain-object.ts";
import { cidOf, copyOn, objectOf, openIndex, start } from "../../index/open-index.ts";
import { compiled, compiledAt, dayMs, explained, now, openReadIndex } from "./read-index.ts";

test("a rule that does not match says which clause is false and when time alone turns it", async () => {
  const index = await openReadIndex();
  const set = await compiled(
    index,
    `  - name: cool
    where: idle > 30d and heat < 0.5 and size >= 1KiB
    demote: {from: backend = "hot", to: backend = "cold"}`,
  );
  const { rules, conclusion, nextChange } = await explained(index, set, 1);
  expect(rules).toEqual([
    {
      rule: "p/cool",
      place: "p.yaml:7:5",
      verb: "demote",
      matched: false,
      result: "does not match",
      clauses: [
        {
          text: "idle > 30d",
          holds: false,
          value: "2d",
          flip: "needs > 30d: in 28d if untouched",
        },
        {
          text: "and heat < 0.5",
          holds: false,
          value: "6.56",
          flip: "needs < 0.5: in 26d if untouched",
        },
        { text: "and size >= 1KiB", holds: true, value: "4.88 KiB", flip: undefined },
      ],
    },
  ]);
  expect(conclusion).toEqual(["nothing: no rule matches"]);
  expect(nextChange).toEqual({
    at: new Date(now.getTime() + 28 * dayMs + 1).toISOString(),
    what: "p/cool will match",
  });
});

test("the moment foretold is the moment at which the rule begins to match", async () => {
  const index = await openReadIndex();
  const rule = `  - name: cool
    where: heat < 0.5 and age > 41d and accessed < now - 3d
    demote: {from: backend = "hot", to: backend = "cold"}`;
  const set = await compiled(index, rule);
  const { nextChange } = await explained(index, set, 1);
  const turn = new Date(nextChange?.at ?? 0);
  const matchedAt = async (time: Date) => {
    const text = await compiledAt(index, rule, time);
    return (await explained(index, text, 1)).rules[0]?.matched;
  };
  expect(await matchedAt(turn)).toBe(true);
  expect(await matchedAt(new Date(turn.getTime() - 10))).toBe(false);
});

test("groups, classes and negations keep their structure", async () => {
  const index = await openReadIndex();
  const set = await compiled(
    index,
    `  - name: keep
    where: not class scratch and (tags has "y" or not size between 1KiB and 1MiB)
    hold: true`,
  );
  const { rules } = await explained(index, set, 1);
  expect(rules[0]?.clauses).toEqual([
    { text: "not:", holds: false, value: "", flip: undefined },
    { text: "  class scratch:", holds: true, value: "", flip: undefined },
    {
      text: '    path like "/scratch/**"',
      holds: true,
      value: '"/data/a"',
      flip: 'needs not path like "/scratch/**"',
    },
    { text: "and any of:", holds: false, value: "", flip: undefined },
    { text: '  tags has "y"', holds: false, value: "x", flip: 'needs "y"' },
    {
      text: "  or not size between 1KiB and 1MiB",
      holds: false,
      value: "4.88 KiB",
      flip: "needs not size between 1KiB and 1MiB",
    },
  ]);
});

test("winners, losers and blocked rules are told apart", async () => {
  const index = await openReadIndex();
  const set = await compiled(
    index,
    `  - name: two
    where: size > 0
    ensure: {copies: 2, on: 'backend in ("hot", "cold")'}
  - name: cool
    where: size > 0
    demote: {from: backend = "hot", to: backend = "warm"}
    limit: {objects: 5}
  - name: free
    where: size > 0
    evict: {from: backend = "hot"}
  - name: drop
    where: size > 0
    delete: {grace: 7d}`,
  );
  const one = await explained(index, set, 1);
  expect(one.rules.map(({ result }) => result)).toEqual([
    "applies: copy from hot to cold",
    "blocked: a rule that protects copies needs this one",
    "lost to p/cool, which stands before it",
    "blocked: a rule that protects copies needs this one",
  ]);
  expect(one.conclusion).toEqual([
    "replicate: copy from hot to cold (p/two)",
    "blocked: p/cool, because a rule that protects copies needs this one",
    "blocked: p/drop, because a rule that protects copies needs this one",
  ]);
  const two = await explained(index, set, 2);
  expect(two.rules[0]?.result).toBe("satisfied: 2 verified copies (hot, cold)");
});

test("a backend that is full or cordoned is named as what is in the way", async () => {
  const index = await openReadIndex();
  const rule = `  - name: cool
    where: size > 0
    demote: {from: backend = "hot", to: backend = "cold"}`;
  const full = await compiled(index, rule, (backend) => ({ ...backend, freeBytes: 100 }));
  expect((await explained(index, full, 1)).rules[0]?.result).toBe(
    "blocked: no selected backend has room",
  );
  const cordoned = await compiled(index, rule, (backend) => ({
    ...backend,
    cordoned: backend.name === "cold",
  }));
  expect((await explained(index, cordoned, 1)).rules[0]?.result).toBe(
    "blocked: the backends that could take it are cordoned",
  );
});

test("an object that is not in the index is not explained", async () => {
  const index = await openReadIndex();
  const set = await compiled(index, "  - {name: a, where: size > 0, hold: true}");
  await using session = await index.session();
  await expect(explainObject(set, session, 999)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a copy that is wanted for a time is explained with its end, and then with what comes", async () => {
  const rule = `  - name: cached
    where: heat >= 2
    ensure: {copies: 1, on: backend = "warm", for: 3d}`;
  const index = await openReadIndex();
  const set = await compiled(index, rule);
  // As after a run of this rule, 38 days ago; the object was read two days ago.
  await using session = await index.session();
  await session.run({
    text: `CREATE TEMP VIEW lease AS SELECT 0::BIGINT AS object_id, 0 AS backend_id,
      'p/cached' AS rule, TIMESTAMP '2026-01-03' AS since`,
    parameters: [],
  });
  const objectId = await index.findObject(cidOf(1));
  const first = await explainObject(set, session, objectId);
  const end = new Date(now.getTime() + dayMs).toISOString();
  expect(first.rules[0]?.result).toContain(`its copy on hot is wanted until ${end} (3d)`);
  expect(first.nextChange).toEqual({ at: end, what: expect.stringContaining("time of p/cached") });
  const later = await compiledAt(index, rule, new Date(now.getTime() + 2 * dayMs));
  const second = await explainObject(later, session, objectId);
  expect(second.rules[0]).toMatchObject({
    matched: false,
    result: expect.stringContaining(`over since ${end}`),
  });
});

/** An object on hot, in the collection of films. */
function collected(number: number, name: string, size: number) {
  return objectOf(number, [copyOn("hot")], { size, names: [name], collection: "films" });
}

function coolWhole(where: string): string {
  return `  - name: cool
    where: ${where}
    group: collection
    demote: {from: backend = "hot", to: backend = "cold"}`;
}

test("what keeps a collection back is named: objects the rule leaves out, and objects that cannot go", async () => {
  const { index } = await openIndex(["hot", "warm", "cold"], { now: () => now });
  const objects = [
    collected(1, "/films/a", 5_000),
    collected(2, "/films/b", 5_000),
    collected(3, "/films/c", 50),
  ];
  await index.putObjects(objects, start);
  const partial = await explained(index, await compiled(index, coolWhole("size >= 100B")), 1);
  expect(partial.rules[0]).toMatchObject({ matched: false, clauses: [{ holds: true }] });
  expect(partial.conclusion).toEqual([
    "waits: p/cool, because it does not select 1 of the 3 objects of collection films, and " +
      "they go together: /films/c (size >= 100B is false, now 50 B; needs >= 100 B)",
  ]);
  await index.hold([2], "evidence", now);
  const held = await explained(index, await compiled(index, coolWhole("size > 0B")), 1);
  expect(held.conclusion).toEqual([
    "blocked: p/cool, because another object of its collection cannot have the same, and they " +
      "go together: /films/c (the object is held) of collection films",
  ]);
});

test("a rule that stops at a mark says how many objects have their turn before this one", async () => {
  const { index } = await openIndex(["hot", "warm", "cold"], { now: () => now });
  const sizes = [4_000, 3_000, 2_000];
  const objects = sizes.map((size, at) =>
    objectOf(at + 1, [copyOn("hot"), copyOn("cold")], { size }),
  );
  await index.putObjects(objects, start);
  const set = await compiled(
    index,
    `  - name: relieve
    where: size > 0B
    order: size desc
    evict: {from: backend = "hot", until: 4KB}`,
    (backend) => ({ ...backend, usedBytes: backend.name === "hot" ? 9_000 : 0 }),
  );
  const conclusions = await Promise.all(
    [1, 2, 3].map(async (number) => (await explained(index, set, number)).conclusion),
  );
  expect(conclusions).toEqual([
    ["evict: remove the copy on hot (p/relieve)"],
    ["evict: remove the copy on hot (p/relieve)"],
    ["waits: p/relieve, because 2 objects before it in the order of the rule free what is needed"],
  ]);
});

test("where a limit ends what frees too little, the limit is named and not those before", async () => {
  const { index } = await openIndex(["hot", "cold"], { now: () => now });
  const objects = [4_000, 3_000, 2_000, 1_000].map((size, at) =>
    objectOf(at + 1, [copyOn("hot"), copyOn("cold")], { size, owner: "ana" }),
  );
  await index.putObjects(objects, start);
  for (const bounds of ["until: 4KB", "quota: {per: owner, bytes: 4KB}"]) {
    const told = async (limit: number) => {
      const set = await compiled(
        index,
        `  - name: relieve
    where: size > 0B
    order: size desc
    limit: {objects: ${limit}}
    evict: {from: backend = "hot", ${bounds}}`,
        (backend) => ({ ...backend, usedBytes: backend.name === "hot" ? 10_000 : 0 }),
      );
      const conclusions = [1, 2, 3].map(async (at) => (await explained(index, set, at)).conclusion);
      return (await Promise.all(conclusions)).flat();
    };
    const evicted = "evict: remove the copy on hot (p/relieve, within the limit of the rule)";
    const isBeyond =
      "blocked: p/relieve, because the limit of the rule is used up by objects before it";
    const waits = "waits: p/relieve, because 2 objects before it in the order of the rule free";
    expect(await told(1)).toEqual([evicted, isBeyond, isBeyond]);
    expect(await told(3)).toEqual([evicted, evicted, `${waits} what is needed`]);
  }
});

test("what is announced says where else the object could be read", async () => {
  const index = await openReadIndex();
  const rule = `  - name: nearer
    where: size > 0
    replicate: {copies: 1, on: backend = "warm"}`;
  const announced = async (number: number, change?: (backend: Backend) => Backend) => {
    const set = await compiled(index, rule, change);
    return (await explained(index, set, number)).announced;
  };
  const copy = { policy: "p", verb: "replicate", source: "hot", target: "warm", victim: null };
  expect(await announced(1)).toEqual([{ ...copy, otherSources: [] }]);
  expect(await announced(2)).toEqual([{ ...copy, otherSources: ["cold"] }]);
  // What cannot be read at all is no source.
  expect(await announced(2, mute)).toEqual([{ ...copy, otherSources: [] }]);
});

/** Cold as a backend that takes copies and gives none back. */
function mute(backend: Backend): Backend {
  if (backend.name !== "cold") return backend;
  const { capabilities } = backend;
  const operations = capabilities.operations.filter((operation) => operation !== "read");
  return { ...backend, capabilities: { ...capabilities, operations } };
}
