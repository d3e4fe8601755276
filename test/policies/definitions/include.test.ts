import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { readCalendarSources } from "#config/calendar-sources.ts";
import { readPolicySources } from "#config/policy-sources.ts";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { parseCalendars } from "#policies/timing/parse-calendars.ts";
import { demoMoment } from "../demo-backends.ts";
import { definitions, findingsOf, folderOf, parseFolder, policyText } from "./policy-folder.ts";

let registry: AttributeRegistry;
beforeAll(async () => {
  registry = await loadAttributes();
});

const shared = definitions(`vars: {limit: {type: duration, default: 30d}}
classes:
  scratch: path like "/scratch/**"
  old_scratch: class scratch and idle > $limit
`);
const cool = policyText("cool", "../shared/all.yaml", "class old_scratch");
const calendar = `apiVersion: thermocline/v1
kind: Calendar
metadata: {name: closed}
days: [2026-11-27]
`;

test("an included file brings its variables and classes to each policy that includes it", async () => {
  const parsed = await parseFolder(registry, {
    "policies/a.thermocline.yaml": cool,
    "policies/b.thermocline.yaml": policyText(
      "b",
      "&all ../shared/all.yaml, *all",
      "idle > $limit",
    ),
    "shared/all.yaml": shared,
  });
  expect(findingsOf(parsed)).toEqual([]);
  expect(parsed.policies.map(({ name }) => name)).toEqual(["cool", "b"]);
  expect(parsed.variables).toEqual(["limit"]);
});

test("what is not included is not seen, and definitions bring what they include themselves", async () => {
  const files = {
    "policies/a.thermocline.yaml": policyText("a", "../shared/b.yaml", "class busy"),
    "policies/c.thermocline.yaml": policyText("c", "../shared/b.yaml", "class old_scratch"),
    "policies/d.thermocline.yaml": policyText("d", "", "class busy"),
    "shared/b.yaml": definitions("include: [deep/all.yaml]\nclasses: {busy: not class scratch}\n"),
    "shared/deep/all.yaml": shared,
  };
  const parsed = await parseFolder(registry, files);
  expect(findingsOf(parsed)).toEqual([
    expect.stringMatching(/^policies\/d\S+:6:25 E0203 there is no class "busy"/),
  ]);
  expect(parsed.policies.map(({ name }) => name)).toEqual(["a", "c"]);
});

test("definitions count for what stands below them in their file", async () => {
  const below = `${shared}---\n${policyText("p", "", "class old_scratch")}`;
  const above = `${policyText("p", "", "class old_scratch")}---\n${shared}`;
  const path = "policies/p.thermocline.yaml";
  expect(findingsOf(await parseFolder(registry, { [path]: below }))).toEqual([]);
  expect(findingsOf(await parseFolder(registry, { [path]: above }))).toEqual([
    expect.stringContaining('there is no class "old_scratch"'),
  ]);
});

test("a file counts once, whoever includes it, on however many ways and under whatever name", async () => {
  const both = policyText("a", "../more/b.yaml, ../more/../more/b.yaml", "class old_scratch");
  const folder = await folderOf({
    "policies/a.thermocline.yaml": both,
    "policies/c.thermocline.yaml": policyText("c", "../more/b.yaml, link.yaml", "class scratch"),
    "more/b.yaml": `${shared}---\n${policyText("inner", "", "class scratch")}---\n${calendar}`,
  });
  await symlink("../more/b.yaml", join(folder, "policies/link.yaml"));
  const sources = await readPolicySources(["policies", "more/b.yaml"], folder);
  expect(sources.map(({ file }) => file)).toEqual([
    "more/b.yaml",
    "policies/a.thermocline.yaml",
    "policies/c.thermocline.yaml",
  ]);
  const parsed = parsePolicies(sources, { registry });
  expect(findingsOf(parsed)).toEqual([]);
  expect(parsed.policies.map(({ name }) => name)).toEqual(["inner", "a", "c"]);
});

test("an included calendar is known, also one that is found beside the policies anyway", async () => {
  const windows = "windows: {deny: [calendar: closed]}\n";
  for (const path of ["policies/days.thermocline-calendar.yaml", "elsewhere/days.yaml"]) {
    const include = `../${path}`;
    const folder = await folderOf({
      "policies/a.thermocline.yaml": policyText("a", include, "idle > 1d", windows),
      [path]: calendar,
    });
    const at = { directory: folder, policies: ["policies"] };
    const calendars = parseCalendars(await readCalendarSources(at));
    const sources = await readPolicySources(at.policies, folder);
    const parsed = parsePolicies(sources, { registry, calendars });
    expect(findingsOf(parsed)).toEqual([]);
    const isOpen = parsed.policies[0]?.timing.windows?.isOpen(new Date("2026-11-27T12:00:00Z"));
    expect(isOpen).toBe(false);
  }
});

test("a value from outside replaces that of an included variable", async () => {
  const files = { "policies/a.thermocline.yaml": cool, "shared/all.yaml": shared };
  const digest = async (variables: Readonly<Record<string, string>>) => {
    const parsed = await parseFolder(registry, files, { variables });
    expect(findingsOf(parsed)).toEqual([]);
    return parsed.policies[0]?.digest;
  };
  expect(await digest({ limit: "60d" })).not.toBe(await digest({}));
  expect(await digest({ limit: "720h" })).toBe(await digest({}));
});

test("the digest follows what is included, and not where it is written", async () => {
  const digests = async (all: string, name = "all") => {
    const { policies } = await parseFolder(registry, {
      "policies/a.thermocline.yaml": cool.replace("all.yaml", `${name}.yaml`),
      "policies/b.thermocline.yaml": policyText("b", `../shared/${name}.yaml`, "idle > 9d"),
      "policies/c.thermocline.yaml": policyText("c", "", "idle > 9d"),
      [`shared/${name}.yaml`]: all,
    });
    return policies.map(({ digest }) => digest);
  };
  const before = await digests(shared);
  expect(await digests(shared.replace("scratch and", "scratch  and"), "other")).toEqual(before);
  for (const changed of [shared.replace("/scratch/", "/tmp/"), shared.replace("30d", "31d")]) {
    const after = await digests(changed);
    expect(after.map((digest, at) => digest === before[at])).toEqual([false, false, true]);
  }
  // The class in the policy itself says the same.
  const [, text] = shared.split("kind: Definitions\n");
  const whole = policyText("cool", "", "class old_scratch", text);
  const { policies } = await parseFolder(registry, { "policies/a.thermocline.yaml": whole });
  expect(policies[0]?.digest).toBe(before[0]);
});

test("what is wrong with a shared class is said once, at its own place", async () => {
  const broken = definitions(`classes:\n  big: size > 3d\n  far: backend = "nowere"\n`);
  const parsed = await parseFolder(registry, {
    "policies/a.thermocline.yaml": policyText("a", "../shared/all.yaml", "class big"),
    "policies/b.thermocline.yaml": policyText("b", "../shared/all.yaml", "class big"),
    "shared/all.yaml": broken,
  });
  expect(parsed.policies).toEqual([]);
  expect(findingsOf(parsed)).toEqual([
    expect.stringMatching(/^shared\/all\.yaml:4:15 E0204 bytes cannot be compared/),
  ]);
});

const from = (name: string) =>
  policyText(name, "../shared/all.yaml", "idle > 3d").replace("tier = hot", "class far");

test("a backend that is not there is found in the class that names it", async () => {
  const { policies, diagnostics } = await parseFolder(registry, {
    "policies/a.thermocline.yaml": from("a"),
    "policies/b.thermocline.yaml": from("b"),
    "shared/all.yaml": definitions(`classes:\n  far: backend = "nowhere"\n`),
  });
  expect(diagnostics).toEqual([]);
  const found = compilePolicies(policies, demoMoment).diagnostics;
  const errors = found.filter(({ severity }) => severity === "error");
  expect(findingsOf({ diagnostics: errors })).toEqual([
    expect.stringMatching(/^shared\/all\.yaml:4:18 E0305 there is no backend "nowhere"/),
  ]);
});

test("an include of which a policy uses nothing is pointed out; what definitions bring on is not", async () => {
  const parsed = await parseFolder(registry, {
    "policies/a.thermocline.yaml": policyText("a", "../shared/all.yaml", "idle > 3d"),
    "policies/b.thermocline.yaml": policyText("b", "../shared/b.yaml", "idle > $limit"),
    "policies/c.thermocline.yaml": policyText("c", "../shared/days.yaml", "idle > 3d"),
    "policies/d.thermocline.yaml": policyText("d", "../shared/d.yaml", "not idler"),
    "shared/all.yaml": shared,
    "shared/d.yaml": definitions("classes: {idler: idle > 9d}\n"),
    "shared/b.yaml": definitions("include: [all.yaml]\nclasses: {busy: idle < 1d}\n"),
    "shared/days.yaml": calendar,
  });
  expect(findingsOf(parsed)).toEqual([
    'policies/a.thermocline.yaml:4:11 W0424 nothing of "../shared/all.yaml" is used here ' +
      "(remove the entry, or use a name that it brings, variables with $ before it)",
  ]);
  expect(parsed.policies.map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
});

const guard = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: guard}
rules:
  - {name: litigation, where: 'path like "/films/**"', hold: true}
`;
const other = guard.replace("guard", "other");

test("an include that brings a policy is never called unused, however deep it lies", async () => {
  const parsed = await parseFolder(registry, {
    "policies/a.thermocline.yaml": policyText("a", "../shared/guard.yaml", "idle > 3d"),
    "policies/b.thermocline.yaml": policyText("b", "../shared/deep.yaml", "idle > 3d"),
    "policies/c.thermocline.yaml": policyText("c", "../shared/deeper.yaml", "idle > 3d"),
    "policies/d.thermocline.yaml": policyText("d", "../shared/beside.yaml", "idle > 3d"),
    "policies/e.thermocline.yaml": policyText("e", "../shared/far.yaml", "idle > 3d"),
    "shared/guard.yaml": guard,
    "shared/deep.yaml": definitions("include: [guard.yaml]\nclasses: {busy: idle < 1d}\n"),
    "shared/deeper.yaml": definitions("include: [deep.yaml]\n"),
    "shared/beside.yaml": `${definitions("classes: {quiet: idle > 1d}\n")}---\n${other}`,
    "shared/far.yaml": definitions("include: [days.yaml]\n"),
    "shared/days.yaml": calendar,
  });
  expect(findingsOf(parsed)).toEqual([]);
  const names = parsed.policies.map(({ name }) => name);
  expect(names.toSorted()).toEqual(["a", "b", "c", "d", "e", "guard", "other"]);
});
