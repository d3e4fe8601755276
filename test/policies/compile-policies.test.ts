import { beforeAll, describe, expect, test } from "vitest";
import type { Diagnostic } from "#model/diagnostic.ts";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { Moment } from "#policies/compiled-policy.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment, readWrite, testBackend } from "./demo-backends.ts";

let registry: AttributeRegistry;
beforeAll(async () => {
  registry = await loadAttributes();
});

function policy(name: string, rules: string, priority = 0): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: ${name}, priority: ${priority}}
rules:
${rules}`;
}

function compile(texts: readonly string[], moment: Moment = demoMoment) {
  const sources = texts.map((text, number) => ({ file: `${number}.yaml`, text }));
  const parsed = parsePolicies(sources, { registry });
  expect(parsed.diagnostics).toEqual([]);
  return compilePolicies(parsed.policies, moment);
}

/** Findings of a rule that demotes and one that promotes, by their conditions. */
function pair(down: string, up: string): string {
  const { diagnostics } = compileRules(`
  - {name: down, where: '${down}', demote: {from: tier = hot, to: tier = cold}}
  - {name: up, where: '${up}', promote: {from: tier = cold, to: tier = hot}}
`);
  return codes(diagnostics).join(" ");
}

/** Findings of a hold rule with a condition. */
function gap(where: string): string {
  const { diagnostics } = compileRules(`  - {name: r, where: '${where}', hold: true}\n`);
  return codes(diagnostics).join(" ");
}

/** A policy that starts by itself and, unless said otherwise, demotes what somebody owns. */
function scheduled(name: string, schedule: string, rules?: string): string {
  const verb = "demote: {from: tier = hot, to: tier = cold}";
  const demote = `  - {name: r, where: 'owner = "${name}"', ${verb}}\n`;
  return policy(name, rules ?? demote).replace("rules:", `schedule: ${schedule}\nrules:`);
}

/** File and code of each finding in some policies. */
function findings(...texts: readonly string[]): string {
  return compile(texts)
    .diagnostics.map(({ file, code }) => `${file} ${code}`)
    .join(" ");
}

function keep(name: string): string {
  return `  - {name: ${name}, where: held, hold: true}\n`;
}

function compileRules(rules: string, moment: Moment = demoMoment) {
  return compile([policy("p", rules)], moment);
}

const codes = (diagnostics: readonly Diagnostic[]): readonly string[] =>
  diagnostics.map(({ code }) => code);

test("rules stand in the order in which they win, whatever the order of the files", () => {
  const texts = [
    policy("b", keep("b1") + keep("b2")),
    policy("a", keep("a1")),
    policy("z", keep("z1"), 10),
  ];
  const ids = ["z/z1", "a/a1", "b/b1", "b/b2"];
  expect(compile(texts).set.rules.map(({ id }) => id)).toEqual(ids);
  expect(compile(texts.toReversed()).set.rules.map(({ id }) => id)).toEqual(ids);
});

test("conditions over backends become masks over their ids", () => {
  const { set } = compileRules(`
  - {name: a, where: held, ensure: {copies: 2..3, on: tier <= warm, per: region, confidence: sampled}}
  - {name: b, where: held, evict: {from: 'backend in ["hot", "cold"] or region = "eu-2"'}}
  - {name: c, where: heat > 9, promote: {to: tier = hot}}
  - {name: d, where: held, demote: {from: tier < cold, to: 'region like "eu-3*"'}}
  - {name: e, where: held, delete: {}}
  - {name: f, where: held, pin: {on: backend = "warm"}}
  - {name: g, where: held, replicate: {}}
  - {name: h, where: held, archive: {}}
`);
  expect(set.rules.map(({ verb }) => verb)).toEqual([
    {
      kind: "ensure",
      copies: { min: 2, max: 3 },
      on: 0b011n,
      per: "region",
      confidence: "sampled",
    },
    { kind: "evict", from: 0b111n },
    { kind: "promote", from: 0b110n, to: 0b001n },
    { kind: "demote", from: 0b011n, to: 0b100n },
    { kind: "delete", graceMs: 7 * 86_400_000 },
    ensure({ on: 0b010n, min: 1 }),
    ensure({ on: 0b111n, min: 2 }),
    ensure({ on: 0b100n, min: 1 }),
  ]);
});

function ensure({ on, min }: { readonly on: bigint; readonly min: number }) {
  const copies = { min, max: undefined };
  return { kind: "ensure", copies, on, per: undefined, confidence: "verified" };
}

test("labels, room and cordons of backends can be asked for; what is unknown selects nothing", () => {
  const backends = [
    testBackend({ id: 0, name: "a", labels: { "rack-id": "r1" }, freeBytes: 1000, cordoned: true }),
    testBackend({
      id: 5,
      name: "b",
      labels: { "rack-id": "r2" },
      capacityBytes: 100,
      usedBytes: 90,
    }),
    testBackend({ id: 61, name: "c", tier: "archive" }),
  ];
  const masks = compileRules(
    `
  - {name: a, where: held, evict: {from: labels.rack-id = "r2"}}
  - {name: b, where: held, evict: {from: not (labels.rack-id = "r2")}}
  - {name: c, where: held, evict: {from: usage >= 90% or free < 1KiB}}
  - {name: d, where: held, evict: {from: missing(free) and not cordoned}}
`,
    { ...demoMoment, backends },
  ).set.rules.map(({ verb }) => ("from" in verb ? verb.from : 0n));
  expect(masks).toEqual([1n << 5n, 1n, 1n | (1n << 5n), (1n << 5n) | (1n << 61n)]);
});

describe("the inventory", () => {
  const readOnly = { ...readWrite, operations: ["read", "list"] as const };
  const weak = { ...readWrite, confidence: ["claimed", "listed"] as const };
  const moment: Moment = {
    ...demoMoment,
    backends: [
      testBackend({ id: 0, name: "hot", tier: "hot" }),
      testBackend({
        id: 1,
        name: "mirror",
        tier: "warm",
        driver: "mirror",
        capabilities: readOnly,
      }),
      testBackend({ id: 2, name: "weak", tier: "cold", capabilities: weak }),
      testBackend({ id: 3, name: "closed", tier: "archive", cordoned: true }),
    ],
  };

  test.for([
    ["ensure: {copies: 1, on: tier = warm}", "E0304"],
    ["demote: {from: tier = hot, to: tier = warm}", "E0304"],
    ["evict: {from: tier = warm}", "E0304"],
    ["ensure: {copies: 1, on: tier = cold}", "E0306"],
    ["ensure: {copies: 1, on: tier = cold, confidence: listed}", ""],
    ["promote: {to: tier = archive}", "W0407"],
    ["ensure: {copies: 2, on: tier != warm, per: region, confidence: listed}", "W0411"],
    ["ensure: {copies: 2, on: tier = hot}", "E0302"],
    ['evict: {from: region = "mars"}', "E0301"],
  ] as const)("%s yields %s", ([verb, code]) => {
    const { diagnostics } = compileRules(`  - name: r\n    where: held\n    ${verb}\n`, moment);
    expect(codes(diagnostics).join(" ")).toBe(code);
  });
});

test("what cannot be checked so far is told with what it can be checked up to, and why", () => {
  const unread = { ...readWrite, confidence: ["listed"], operations: ["write", "list"] } as const;
  const backends = [
    testBackend({ id: 0, name: "disk" }),
    testBackend({ id: 1, name: "pins", tier: "cold", capabilities: unread }),
  ];
  const rule = "  - name: r\n    where: held\n    ensure: {copies: 2}\n";
  const { diagnostics } = compileRules(rule, { ...demoMoment, backends });
  expect(diagnostics.map(({ code, message, hint }) => `${code} ${message} | ${hint}`)).toEqual([
    'E0306 rule "r": 1 backend can be checked up to "verified", 2 are needed | ask for a lower ' +
      'confidence: "pins" only up to "listed"; nothing can be read back from "pins": where its ' +
      "driver has an option for that (gateway, rpc), give it",
  ]);
});

test("a spread over a bare name says how a label is written", () => {
  const rule = "  - name: r\n    where: held\n    ensure: {copies: 2, per: rack}\n";
  const source = { file: "p.yaml", text: policy("p", rule) };
  const { diagnostics } = parsePolicies([source], { registry });
  expect(diagnostics[0]?.message).toContain("labels.<key>: for a label write labels.rack");
});

test("a misspelt backend inside of copies() or of a class is reported once, at its place", () => {
  const text = policy(
    "p",
    `  - {name: a, where: 'copies(backend = "colt") = 0', hold: true}
  - {name: b, where: held, evict: {from: class old}}
  - {name: c, where: held, evict: {from: class old or tier = hot}}
`,
  ).replace("rules:", 'classes: {old: backend = "wram"}\nrules:');
  const { diagnostics } = compile([text]);
  expect(
    diagnostics.map(({ code, range: { start } }) => `${start.line}:${start.column} ${code}`),
  ).toEqual(["4:26 E0305", "6:40 E0305"]);
});

test("a trigger on a backend that is unknown, or never full, is reported at its place", () => {
  const hold = policy("p", "  - {name: a, where: 'tags has \"x\"', hold: true}\n");
  const triggers = ["htt", "hot"].map(
    (backend) => `{usage: {backend: ${backend}, above: 85%, until: 75%}}`,
  );
  const text = hold.replace("rules:", `triggers: [${triggers.join(", ")}]\nrules:`);
  const { policies } = parsePolicies([{ file: "p.yaml", text }], { registry });
  const { diagnostics } = compilePolicies(policies, demoMoment);
  expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
    'E0305 there is no backend "htt"',
    'W0414 backend "hot" has no capacity: it is never full',
  ]);
});

describe("lints", () => {
  test.for([
    ["size > 2GiB and size < 1GiB", "W0402"],
    ["heat < 0", "W0402"],
    ["not (size >= 1MiB) and size = 1MiB", "W0402"],
    ["held and false", "W0402"],
    ["size between 1MiB and 2MiB and size >= 2MiB", ""],
    ["size > 2GiB or size < 1GiB", ""],
  ] as const)("%s: %s", ([where, code]) => {
    const rule = `  - {name: r, where: '${where}', evict: {from: tier = hot}}\n`;
    expect(codes(compileRules(rule).diagnostics).join(" ")).toBe(code);
  });

  test("a rule that an earlier rule or a hold always wins over is pointed out", () => {
    const { diagnostics } = compileRules(`
  - {name: keep, where: tags has "gold", hold: true}
  - {name: wide, where: size > 1MiB, evict: {from: tier <= warm}}
  - {name: narrow, where: size >= 1GiB and idle > 3d, evict: {from: tier = hot}}
  - {name: other, where: size >= 1GiB, evict: {from: tier = cold}}
  - {name: gold, where: 'idle > 9d and tags has "gold"', delete: {grace: 7d}}
`);
    expect(diagnostics.map(({ code, range }) => `${range.start.line} ${code}`)).toEqual([
      "8 W0403",
      "10 W0403",
    ]);
  });

  test("demotion and promotion need a band between their thresholds", () => {
    expect(pair("heat < 1", "heat >= 1")).toBe("W0404");
    expect(pair("heat < 2", "heat >= 1")).toBe("W0404");
    expect(pair("idle > 30d", "heat >= 1")).toBe("W0404");
    expect(pair("heat < 0.5", "heat >= 2")).toBe("");
    expect(pair("idle > 30d and held", "idle < 1d")).toBe("");
  });

  test("removals that leave nothing or hurry are pointed out", () => {
    expect(
      codes(compileRules("  - {name: r, where: held, evict: {from: true}}\n").diagnostics),
    ).toEqual(["W0405"]);
    expect(codes(compileRules("  - {name: r, where: true, delete: {}}\n").diagnostics)).toEqual([
      "W0405",
    ]);
    const hasty = "  - {name: r, where: held, delete: {grace: 10m}}\n";
    expect(codes(compileRules(hasty).diagnostics)).toEqual(["W0409"]);
  });

  test.for([
    ["size >= 1GiB", "{bytes: 500MiB}", "W0416"],
    ["size > 1GiB and idle > 3d", "{bytes: 1GiB}", "W0416"],
    ["size >= 1GiB", "{bytes: 1GiB}", ""],
    ["idle > 3d", "{bytes: 1B}", ""],
    ["size < 1GiB", "{bytes: 1MiB}", ""],
    ["idle > 3d", "{objects: 0}", "W0416"],
  ] as const)("a limit below the first object: %s %s: %s", ([where, limit, code]) => {
    const rule = `  - {name: r, where: '${where}', limit: ${limit}, evict: {from: tier = hot}}\n`;
    expect(codes(compileRules(rule).diagnostics).join(" ")).toBe(code);
  });

  test.for([
    ["size > 2GiB", "3", "W0417"],
    ["size > 2GiB", "2", ""],
    ["idle > 3d", "3", ""],
  ] as const)("more copies than another rule allows: %s %s: %s", ([where, copies, code]) => {
    const { diagnostics } = compileRules(`
  - {name: few, where: size > 1GiB, ensure: {copies: 1..2}}
  - {name: many, where: '${where}', ensure: {copies: ${copies}}}
`);
    expect(diagnostics.map((one) => `${one.range.start.line} ${one.code}`)).toEqual(
      code === "" ? [] : [`7 ${code}`],
    );
  });

  test.for([
    ["age > 30d", "age > 180d", "W0419"],
    ["age > 30d and age <= 180d", "age > 180d", ""],
    ["idle > 30d", "age > 180d", ""],
  ] as const)("a step that the one before holds back: %s, %s: %s", ([first, second, code]) => {
    const { diagnostics } = compileRules(`
  - {name: to-warm, where: ${first}, demote: {from: tier = hot, to: tier = warm}}
  - {name: to-cold, where: ${second}, demote: {from: tier = warm, to: tier = cold}}
`);
    expect(diagnostics.map((one) => `${one.range.start.line} ${one.code}`)).toEqual(
      code === "" ? [] : [`7 ${code}`],
    );
  });

  test("policies that start at once and move copies of the same backends are pointed out", () => {
    const nightly = scheduled("a", '{cron: "0 2 * * *"}');
    expect(findings(nightly, scheduled("b", '{cron: "0 2 * * 1"}'))).toBe("1.yaml W0418");
    expect(findings(nightly, scheduled("b", "{every: 30m}"))).toBe("1.yaml W0418");
    expect(findings(nightly, scheduled("b", '{cron: "30 2 * * *"}'))).toBe("");
    expect(findings(nightly, scheduled("b", '{cron: "0 2 * * *", jitter: 10m}'))).toBe("");
    expect(findings(nightly, scheduled("b", '{cron: "0 2 * * *"}', keep("k")))).toBe("");
  });

  test("a protective rule with a gap for what is unknown is pointed out", () => {
    expect(gap('not (path like "/tmp/**")')).toBe("W0412");
    expect(gap('owner != "nobody"')).toBe("W0412");
    expect(gap("not newest(3, path)")).toBe("W0412");
    expect(gap("not newest(3, path) or missing(newest(3, path))")).toBe("");
    expect(gap("not superseded(path) > 30d")).toBe("W0412");
    expect(gap('not lower(owner) = "ana"')).toBe("W0412");
    expect(gap('meta.host != "a"')).toBe("W0412");
    // Where there always is a value, there is no gap.
    expect(gap('coalesce(owner, "nobody") != "nobody"')).toBe("");
    expect(gap("not lacks(tier = cold) > 0")).toBe("");
    expect(gap('not copies(labels.rack != "a") >= 1')).toBe("");
    expect(gap('missing(path) or not (path like "/tmp/**")')).toBe("");
    expect(gap('owner = "ana" and not held')).toBe("");
  });
});
