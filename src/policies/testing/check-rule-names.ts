import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { isRule } from "#policies/testing/match-expectations.ts";
import { NamedThings } from "#policies/testing/named-things.ts";
import type { TestCase } from "#policies/testing/policy-test.ts";

/** Rules that a case names and that its policies do not have. */
export function checkRuleNames(
  { expectations, selects, objects, path }: TestCase,
  { rules, switchedOff = [] }: CompiledPolicySet,
  places: DocumentPlaces,
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const names = new NamedThings(places, diagnostics);
  const choice = (named: string): readonly string[] => {
    const isFound = rules.some(({ id }) => isRule(named, id));
    if (isFound) return [named];
    return rules.map(({ id }) => (named.includes("/") ? id : id.slice(id.indexOf("/") + 1)));
  };
  const isOff = (named: string, place: DocumentPath): boolean => {
    const ids = [...rules.map(({ id }) => id), ...switchedOff];
    const isFound = ids.find((id) => isRule(named, id));
    if (isFound === undefined || !switchedOff.includes(isFound)) return false;
    const message = `rule "${named}" does nothing: it is switched off`;
    names.report("E0180", place, message, "remove `enabled: false`, or what the test says of it");
    return true;
  };
  for (const [at, { rule }] of expectations.entries()) {
    const place = [...path, "expect", at, "rule"];
    if (rule === undefined || isOff(rule, place)) continue;
    names.known(rule, choice(rule), place, "rule");
  }
  for (const { rule } of objects.flatMap(({ fixture }) => fixture.leases)) {
    if (!isOff(rule, path)) names.known(rule, choice(rule), path, "rule");
  }
  for (const rule of Object.keys(selects)) {
    const place = [...path, "selects", rule];
    if (!isOff(rule, place)) names.knownKey(rule, choice(rule), place, "rule");
  }
  return diagnostics;
}
