import { beforeAll, describe, expect, test } from "vitest";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { parsePolicies } from "#policies/parse-policies.ts";

let registry: AttributeRegistry;
beforeAll(async () => {
  registry = await loadAttributes();
});

const header = (name: string): string =>
  `apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: ${name}}\n`;
const keep = "rules:\n  - {name: keep, where: held, hold: true}\n";

function read(text: string, variables: Readonly<Record<string, string>> = {}) {
  return parsePolicies([{ file: "p.yaml", text }], { registry, variables });
}

function digest(text: string): string | undefined {
  return read(text).policies[0]?.digest;
}

function places(result: ReturnType<typeof read>): readonly string[] {
  return result.diagnostics.map(
    ({ range: { start }, severity, code }) => `${start.line}:${start.column} ${severity} ${code}`,
  );
}

test("several documents of a file and several files are one set of policies", () => {
  const { policies, diagnostics } = parsePolicies(
    [
      { file: "a.yaml", text: `${header("one")}${keep}---\n${header("two")}${keep}` },
      { file: "b.yaml", text: `${header("three")}${keep}` },
    ],
    { registry },
  );
  expect(diagnostics).toEqual([]);
  expect(policies.map(({ name }) => name)).toEqual(["one", "two", "three"]);
});

test("two policies of one name are an error that names the first place", () => {
  const { policies, diagnostics } = parsePolicies(
    [
      { file: "a.yaml", text: `${header("same")}${keep}` },
      { file: "b.yaml", text: `${header("same")}${keep}` },
    ],
    { registry },
  );
  expect(policies).toHaveLength(1);
  expect(diagnostics).toMatchObject([
    { file: "b.yaml", range: { start: { line: 3 } }, code: "E0160" },
  ]);
  expect(diagnostics[0]?.message).toContain("a.yaml:3:18");
});

describe("variables", () => {
  const text = `${header("v")}vars:
  limit: {type: duration, default: 30d}
  who: {type: text, default: ana}
  share: {type: percent, default: 85%}
  coldest: {type: tier, default: cold}
rules:
  - name: r
    where: idle > $limit and owner = $who
    demote: {from: tier < $coldest and usage > $share, to: tier >= $coldest}
`;

  test("a value from outside takes the place of the default and changes the digest", () => {
    const standard = read(text);
    const other = read(text, { limit: "60d" });
    expect([...standard.diagnostics, ...other.diagnostics]).toEqual([]);
    expect(other.policies[0]?.digest).not.toBe(standard.policies[0]?.digest);
    expect(read(text, { limit: "30d" }).policies[0]?.digest).toBe(standard.policies[0]?.digest);
  });

  test("a value from outside that does not fit, or that no policy asks for, is an error", () => {
    expect(places(read(text, { limit: "60MiB" }))).toEqual(["5:3 error E0162"]);
    const strange = read(text, { limt: "60d" });
    expect(strange.diagnostics).toMatchObject([
      { file: "--var", code: "E0163", hint: 'did you mean "limit"?' },
    ]);
  });

  test("a variable without a value is an error, one without a use a warning", () => {
    const result = read(`${header("v")}vars:\n  none: {type: size}\n${keep}`);
    expect(places(result)).toEqual(["5:3 error E0162", "5:3 warning W0410"]);
  });
});

test("whatever says when and within what bounds a policy runs is acted on", () => {
  const result = read(`${header("s")}schedule: {cron: "0 2 * * *", timezone: Europe/Berlin}
windows: {allow: ["Sat-Sun 00:00-24:00", "22:00-06:00"]}
limits: {objects: 5%, bytes: 20TiB, rate: 200/min, bandwidth: "08:00,20MiB/s 19:00,off", cost: 50 USD/month}
approval: {when: "bytes > 10TiB or deletes > 0"}
triggers: [{usage: {backend: hot, above: 85%, until: 75%}}]
${keep}`);
  expect(places(result)).toEqual([]);
  expect(result.policies[0]?.approval?.terms).toEqual({
    when: "bytes > 10TiB or deletes > 0",
    ttlMs: 3 * 86_400_000,
    preventSelfApproval: false,
  });
  expect(result.policies[0]?.limits).toEqual({
    objectsShare: 0.05,
    bytes: 20 * 2 ** 40,
    budget: { usd: 50, per: "month" },
  });
  expect(result.policies[0]?.timing.pace?.actionsPerSecond).toBeCloseTo(200 / 60);
});

test("limits that cannot be are errors at their place, of a policy as of a trigger", () => {
  const result = read(`${header("s")}limits: {objects: 101%, rate: fast}
triggers: [{event: copy-lost, limits: {bytes: much}}]
${keep}`);
  expect(places(result)).toEqual(["4:19 error E0106", "4:31 error E0106", "5:47 error E0106"]);
});

test("settings that cannot be are errors at their place", () => {
  const result = read(`${header("s")}windows: {allow: ["Sat-Sum 00:00-24:00"]}
triggers: [{usage: {backend: hot, above: 75%, until: 85%}}]
approval: {when: "bytes >"}
${keep}`);
  const errors = places(result).filter((place) => place.includes("error"));
  expect(errors).toEqual(["4:24 error E0166", "5:54 error E0166", "6:26 error E0150"]);
  const approvals = ["{when: heat > 2}", "{when: bytes > 3d}", "{when: bytes, from: boss}"];
  const found = approvals.map((text) => places(read(`${header("s")}approval: ${text}\n${keep}`)));
  expect(found).toEqual([
    ["4:18 error E0201"],
    ["4:26 error E0204"],
    ["4:18 error E0206", "4:31 error E0106"],
  ]);
});

test("layout, comments, order of keys and spelling of units do not change the digest", () => {
  const one = `${header("d")}classes: {big: size >= 1GiB}
rules:
  - name: r
    where: class big and idle > 30d
    limit: {bytes: 1TiB}
    evict: {from: tier = hot}
`;
  const other = `# a comment
kind: Policy
apiVersion: thermocline/v1
metadata:
  name: d
  description: says the same
rules:
  - evict:
      from: "tier=hot"
    limit: {bytes: 1024GiB}
    name: r
    where: >-
      class big   and
      idle > 720h
classes:
  big: size>=1024 MiB
`;
  expect(digest(one)).toMatch(/^[0-9a-f]{64}$/);
  expect(digest(other)).toBe(digest(one));
  expect(digest(one.replace("30d", "31d"))).not.toBe(digest(one));
  expect(digest(one.replace("1TiB", "2TiB"))).not.toBe(digest(one));
});

test("classes may describe objects or backends, but not stand where the other is described", () => {
  const text = `${header("c")}classes:
  cheap: tier >= cold and not cordoned
  old: age > 1y
rules:
  - {name: a, where: old, evict: {from: not cheap}}
  - {name: b, where: cheap, evict: {from: class old}}
`;
  expect(places(read(text))).toEqual(["9:22 error E0205", "9:43 error E0205"]);
});

test("an alias bomb is refused without being expanded", () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const inner = level === 0 ? '"x"' : `*l${level - 1}`;
    return `  l${level}: &l${level} [${Array(10).fill(inner).join(", ")}]`;
  });
  const result = read(`${header("bomb")}classes:\n${levels.join("\n")}\n${keep}`);
  expect(result.policies).toEqual([]);
  expect(result.diagnostics.map(({ code }) => code)).toContain("E0107");
});

test("what plans may cost, and when moves must pay, is read with its place; force opts a rule out", () => {
  const result = read(`${header("s")}limits: {cost: 0.5 USD}
horizon: 1y
triggers: [{event: copy-lost, limits: {cost: 20USD}}, {event: copy-lost, limits: {cost: 5 USD / week}}]
rules:
  - {name: down, where: size > 1B, demote: {from: tier = hot, to: tier = cold}}
  - {name: out, where: size > 2B, force: true, evict: {from: tier = hot}}
`);
  expect(places(result)).toEqual([]);
  expect(result.policies[0]).toMatchObject({
    limits: { costUsd: 0.5 },
    horizonMs: 365 * 86_400_000,
    rules: [{ name: "down" }, { name: "out", force: true }],
  });
  expect(result.policies[0]?.timing.triggers).toMatchObject([
    { limits: { costUsd: 20 } },
    { limits: { budget: { usd: 5, per: "week" } } },
  ]);
});

test("money in another currency, without one, or for a period that is none, is an error", () => {
  const result = read(`${header("s")}limits: {cost: 50 EUR}
horizon: 0d
triggers: [{event: copy-lost, limits: {cost: 5 USD/year}}, {event: copy-lost, limits: {cost: 5}}]
rules:
  - {name: two, where: size > 1B, force: true, ensure: {copies: 2}}
`);
  expect(result.diagnostics.map(({ message }) => message)).toEqual([
    '"50 EUR" is not in USD, as all prices are',
    "a horizon is more than nothing and at most 100 years: 365d",
    '"5 USD/year" is not an amount of money',
    '"5" is not an amount of money',
    "force is for evict and demote: nothing else has to pay within a horizon",
  ]);
});
