import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { readPolicySources } from "#config/policy-sources.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { parsePolicies, type ParsedPolicies, type ParseOptions } from "#policies/parse-policies.ts";

export type Files = Readonly<Record<string, string>>;

/** Writes files into a folder that is gone after the test; its path. */
export async function folderOf(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "includes-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** Reads and parses the policies of these files as every command does. */
export async function parseFolder(
  registry: AttributeRegistry,
  files: Files,
  options: Partial<ParseOptions> & { readonly places?: readonly string[] } = {},
): Promise<ParsedPolicies> {
  const { places = ["policies"], ...rest } = options;
  const sources = await readPolicySources(places, await folderOf(files));
  return parsePolicies(sources, { registry, ...rest });
}

/** `file:line:column code message`, and the hint where there is one. */
export function findingsOf({ diagnostics }: Pick<ParsedPolicies, "diagnostics">): string[] {
  return diagnostics.map(({ file, range: { start }, code, message, hint }) => {
    const place = `${file}:${start.line}:${start.column}`;
    return `${place} ${code} ${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

/** A policy with one rule over the objects of a condition. */
export function policyText(name: string, include: string, where: string, more = ""): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: ${name}}
include: [${include}]
${more}rules:
  - {name: cool, where: ${where}, demote: {from: tier = hot, to: tier = cold}}
`;
}

/** A document of definitions. */
export function definitions(body: string): string {
  return `apiVersion: thermocline/v1\nkind: Definitions\n${body}`;
}
