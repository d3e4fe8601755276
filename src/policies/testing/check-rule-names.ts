import type { DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { isRule } from "#policies/testing/match-expectations.ts";
import { NamedThings } from "#policies/testing/named-things.ts";
import type { TestCase } from "#policies/testing/policy-test.ts";

/** Rules that a case names and that its policies do not have. */
export function checkRuleNames(
  { expectations, selects, objects, path }: TestCase,
  { rules }: CompiledPolicySet,
  places: DocumentPlaces,
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const names = new NamedThings(places, diagnostics);
  const choice = (named: string): readonly string[] => {
    const isFound = rules.some(({ id }) => isRule(named, id));
    if (isFound) return [named];
    return rules.map(({ id }) => (named.includes("/") ? id : id.slice(id.indexOf("/") + 1)));
  };
  for (const [at, { rule }] of expectations.entries()) {
    names.known(rule, choice(rule ?? ""), [...path, "expect", at, "rule"], "rule");
  }
  for (const { rule } of objects.flatMap(({ fixture }) => fixture.leases)) {
    names.known(rule, choice(rule), path, "rule");
  }
  for (const rule of Object.keys(selects)) {
    names.knownKey(rule, choice(rule), [...path, "selects", rule], "rule");
  }
  return diagnostics;
}
