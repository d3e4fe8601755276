import { symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { readPolicySources } from "#config/policy-sources.ts";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { definitions, findingsOf, folderOf, parseFolder, policyText } from "./policy-folder.ts";

let registry: AttributeRegistry;
beforeAll(async () => {
  registry = await loadAttributes();
});

const scratch = definitions(`classes: {scratch: path like "/scratch/**"}\n`);

/** What is said of a policy that includes this, beside `shared/classes.yaml`. */
async function include(entry: string): Promise<readonly string[]> {
  const parsed = await parseFolder(registry, {
    "policies/a.thermocline.yaml": policyText("a", entry, "idle > 3d"),
    "shared/classes.yaml": scratch,
  });
  expect(parsed.policies).toEqual([]);
  return findingsOf(parsed);
}

const at = "policies/a.thermocline.yaml:4:11 E0172";

test.for([
  ["../shared/clases.yaml", 'there is no file "../shared/clases.yaml"', "../shared/classes.yaml"],
  ["../shraed/classes.yaml", 'there is no file "../shraed/classes.yaml"', "../shared/classes.yaml"],
] as const)("a missing file (%s) is named with the nearest one", async ([entry, message, near]) => {
  expect(await include(entry)).toEqual([`${at} ${message} (did you mean "${near}"?)`]);
});

test.for([
  ["__proto__", "write the path from the folder of this file to the other one"],
  ["nothing/like/it.yaml", "write the path from the folder of this file to the other one"],
  ["../shared", "name each file to include; folders are not searched"],
  ["'../shared/*.yaml'", "name each file: patterns are not searched for"],
  ["https://example.org/classes.yaml", "store the file beside the policies: nothing is fetched"],
  ["/etc/hosts", "write the path from the folder of this file: shared/classes.thermocline.yaml"],
  ["''", "write the path from the folder of this file: shared/classes.thermocline.yaml"],
] as const)("%s cannot be included, and the hint says what can", async ([entry, hint]) => {
  expect(await include(entry)).toEqual([expect.stringMatching(new RegExp(`^${at} `))]);
  expect(await include(entry)).toEqual([expect.stringContaining(`(${hint})`)]);
});

test("nothing outside of the folders of the policies is read, neither by path nor by link", async () => {
  const folder = await folderOf({
    "project/policies/a.thermocline.yaml": policyText("a", "../../secret.yaml, link.yaml", "true"),
    "secret.yaml": scratch,
  });
  await symlink(join(folder, "secret.yaml"), join(folder, "project/policies/link.yaml"));
  const project = join(folder, "project");
  const sources = await readPolicySources(["policies"], project);
  expect(sources.map(({ file }) => file)).toEqual(["policies/a.thermocline.yaml"]);
  const found = findingsOf(parsePolicies(sources, { registry }));
  expect(found).toHaveLength(2);
  for (const [position, entry] of ["../../secret.yaml", "link.yaml"].entries()) {
    expect(found[position]).toContain(
      `E0172 "${entry}" leads outside of the folders of the policies (move the file below `,
    );
  }
  // It is below another directory that holds both, and in the project around a thermocline.yaml.
  const above = await readPolicySources(["project/policies"], folder);
  expect(above.map(({ file }) => basename(file))).toContain("secret.yaml");
  await writeFile(join(folder, "thermocline.yaml"), "");
  const around = await readPolicySources(["policies"], project);
  expect(around.map(({ file }) => basename(file))).toContain("secret.yaml");
});

const body = (next: string) => definitions(`include: [${next}]\n`);

test("files that include each other are named with the whole chain", async () => {
  const parsed = await parseFolder(registry, {
    "policies/a.thermocline.yaml": policyText("a", "x/b.yaml", "idle > 3d"),
    "policies/x/b.yaml": body("c.yaml"),
    "policies/x/c.yaml": body("d.yaml"),
    "policies/x/d.yaml": body("b.yaml"),
  });
  const chain = ["b", "c", "d", "b"].map((name) => `policies/x/${name}.yaml`).join(" → ");
  expect(findingsOf(parsed)).toEqual([
    `policies/x/d.yaml:3:11 E0173 files include each other in a circle: ${chain} ` +
      "(move what they share into a file of its own)",
  ]);
  expect(parsed.policies).toEqual([]);
});

test("a file that includes itself is a circle", async () => {
  const self = policyText("a", "a.thermocline.yaml", "idle > 3d");
  const parsed = await parseFolder(registry, { "policies/a.thermocline.yaml": self });
  const [found] = findingsOf(parsed);
  expect(found).toContain("policies/a.thermocline.yaml → policies/a.thermocline.yaml");
});

test("a chain beyond all reason is refused instead of exhausting the stack", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 70 }, (_, at) => [`policies/${at}.yaml`, body(`${at + 1}.yaml`)]),
  );
  const parsed = await parseFolder(registry, {
    ...files,
    "policies/70.yaml": scratch,
    "policies/a.thermocline.yaml": policyText("a", "0.yaml", "class scratch"),
  });
  expect(findingsOf(parsed).join("\n")).toContain("a chain of more than 64 files");
});

test("no name means two things: neither of two included files, nor of an own one", async () => {
  const parsed = await parseFolder(registry, {
    "policies/a.thermocline.yaml": policyText("a", "b.yaml, c.yaml", "class scratch"),
    "policies/b.yaml": scratch,
    "policies/c.yaml": scratch.replace("scratch/", "tmp/"),
    "policies/d.thermocline.yaml": policyText(
      "d",
      "b.yaml",
      "class scratch",
      "classes: {scratch: idle > 5d}\n",
    ),
  });
  expect(parsed.policies).toEqual([]);
  expect(findingsOf(parsed)).toEqual([
    'policies/a.thermocline.yaml:4:19 E0160 "c.yaml" brings a second class "scratch": ' +
      "policies/c.yaml:3:20, besides policies/b.yaml:3:20 " +
      "(give one of the two another name, or include one of the two files)",
    'policies/d.thermocline.yaml:5:11 E0160 there are two classes "scratch"; ' +
      "an included one is at policies/b.yaml:3:20 " +
      "(give this one another name, or remove one of the two)",
  ]);
});

test("a misspelt kind is taken for what was meant, and rules are no part of definitions", async () => {
  const parsed = await parseFolder(registry, {
    "policies/a.thermocline.yaml": scratch.replace("Definitions", "Definition"),
    "policies/b.thermocline.yaml": `${scratch}rules: []\n`,
  });
  expect(findingsOf(parsed)).toEqual([
    expect.stringContaining('"Definition" is not a value of "kind" (did you mean "Definitions"?'),
    expect.stringContaining('unknown key "rules"'),
  ]);
});

test("a file that is no text is reported where it is included", async () => {
  const folder = await folderOf({
    "policies/a.thermocline.yaml": policyText("a", "b.yaml", "idle > 3d"),
  });
  await writeFile(join(folder, "policies/b.yaml"), Buffer.from([0xff, 0xfe, 0x80]));
  const parsed = parsePolicies(await readPolicySources(["policies"], folder), { registry });
  expect(findingsOf(parsed)).toEqual([
    `${at} policies/b.yaml is not UTF-8 text (save it with the encoding UTF-8)`,
  ]);
});
