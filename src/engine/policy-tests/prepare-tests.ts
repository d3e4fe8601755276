import { dirname, resolve } from "node:path";
import { readCalendarSources } from "#config/calendar-sources.ts";
import { readPolicySources } from "#config/policy-sources.ts";
import type { DocumentSource } from "#document/document-source.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { EngineError } from "#model/engine-error.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import type { Policy } from "#policies/policy.ts";
import type { PolicyTest, TestCase } from "#policies/testing/policy-test.ts";
import { parseCalendars, type ParsedCalendars } from "#policies/timing/parse-calendars.ts";

/** A case with the policies it is of, their variables filled in. */
export interface PreparedCase {
  readonly suite: PolicyTest;
  readonly test: TestCase;
  readonly policies: readonly Policy[];
}

/** Reads the policies of a test document, once for each set of variables that its cases use. */
export async function prepareTests(
  suite: PolicyTest,
  { cwd, registry, variables: given }: TestSetting,
): Promise<{
  readonly cases: readonly PreparedCase[];
  readonly diagnostics: readonly Diagnostic[];
  /** Names of the variables that its policies have. */
  readonly declared: readonly string[];
  /** The policies, what they include, and calendars: what the cases rest on besides the test. */
  readonly files: readonly string[];
}> {
  const read = await readPolicies(suite, cwd);
  const { files } = read;
  const diagnostics: Diagnostic[] = [...read.diagnostics];
  if (diagnostics.length > 0) return { cases: [], diagnostics, declared: [], files };
  const declared = parsePolicies(read.sources, { registry, calendars: read.calendars }).variables;
  const own = Object.entries(given).filter(([name]) => declared.includes(name));
  const parsed = new Map<string, readonly Policy[] | undefined>();
  const cases = suite.cases.flatMap((test): readonly PreparedCase[] => {
    const variables = { ...test.documentVariables, ...Object.fromEntries(own), ...test.variables };
    const key = JSON.stringify(variables);
    if (!parsed.has(key)) {
      const { calendars } = read;
      const result = parsePolicies(read.sources, { registry, variables, calendars });
      const errors = result.diagnostics.filter(({ severity }) => severity === "error");
      diagnostics.push(...errors.map((error) => atVariables(error, suite, test)));
      parsed.set(key, errors.length === 0 ? result.policies : undefined);
    }
    const policies = parsed.get(key);
    return policies === undefined ? [] : [{ suite, test, policies }];
  });
  return { cases, diagnostics, declared, files };
}

/** What all tests of one call have in common. */
interface TestSetting {
  readonly cwd: string;
  readonly registry: AttributeRegistry;
  /** Values for all of them, which only what a test says of itself overrides. */
  readonly variables: Readonly<Record<string, string>>;
}

interface PolicyTexts {
  readonly sources: readonly DocumentSource[];
  readonly calendars: ParsedCalendars;
  readonly diagnostics: readonly Diagnostic[];
  readonly files: readonly string[];
}

async function readPolicies({ policies, places }: PolicyTest, cwd: string): Promise<PolicyTexts> {
  const directory = dirname(resolve(cwd, places.source.file));
  const sources = new Map<string, DocumentSource>();
  const diagnostics: Diagnostic[] = [];
  for (const [at, place] of policies.entries()) {
    try {
      const found = await readPolicySources([resolve(directory, place)], cwd);
      for (const source of found) sources.set(source.file, source);
      if (found.length === 0) throw new EngineError("NOT_FOUND", `${place} holds no policy`);
    } catch (error) {
      const { message, hint } = EngineError.from(error);
      const finding = { code: "E0180", message, hint };
      diagnostics.push(places.diagnostic(places.value(["policies", at]), finding));
    }
  }
  const calendarSources = await readCalendarSources({ directory, policies, cwd });
  const calendars = parseCalendars(calendarSources);
  const errors = calendars.diagnostics.filter(({ severity }) => severity === "error");
  diagnostics.push(...errors);
  const texts = [...sources.values()];
  const files = [...texts, ...calendarSources].map(({ file }) => file);
  return { sources: texts, calendars, diagnostics, files };
}

/** What is wrong with `--var` is wrong with `vars:` here. */
function atVariables(error: Diagnostic, { places }: PolicyTest, test: TestCase): Diagnostic {
  if (error.file !== "--var") return error;
  const named = { ...test.documentVariables, ...test.variables };
  const name = Object.keys(named).find((one) => error.message.includes(`"${one}"`)) ?? "";
  const own = [...test.path, "vars", name];
  const { code, message, hint, severity } = error;
  const range = places.key(places.has(own) ? own : ["vars", name]);
  return places.diagnostic(range, { code, message, hint, severity });
}
