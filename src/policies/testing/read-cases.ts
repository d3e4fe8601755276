import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import { priceCardOf } from "#document/price-card-field.ts";
import { freeOfCharge } from "#model/backend.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { FixtureBook } from "#policies/testing/fixture-book.ts";
import type { SupposedBackend, TestCase } from "#policies/testing/policy-test.ts";
import type {
  CaseDocument,
  FixtureBackend,
  PolicyTestDocument,
} from "#policies/testing/policy-test-schema.ts";
import { NamedThings } from "#policies/testing/named-things.ts";
import { supposeObject } from "#policies/testing/suppose-object.ts";

const standardNow = new Date("2026-01-01T00:00:00Z");

/** The cases of a document, with every name in them looked up. */
export function readCases(
  document: PolicyTestDocument,
  places: DocumentPlaces,
  drivers: readonly string[],
): { readonly cases: readonly TestCase[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const names = new NamedThings(places, diagnostics);
  names.unique(document.tests, ["tests"], "tests");
  names.unique(document.backends, ["backends"], "backends");
  for (const [at, { driver }] of document.backends.entries()) {
    names.known(driver, drivers, ["backends", at, "driver"], "driver");
  }
  const backendNames = document.backends.map(({ name }) => name);
  const book = new FixtureBook(document.objects, names, backendNames);
  const cases = document.tests.map((test, at): TestCase => {
    const path = ["tests", at];
    const now = test.now ?? document.now ?? standardNow;
    const given = book.given(test.given, path);
    const objects = given.map((attributes) => ({
      name: attributes.name,
      fixture: supposeObject(attributes, `${document.metadata.name}/${test.name}`, now),
    }));
    checkExpectations(test, path, names, {
      objects: objects.map(({ name }) => name),
      backends: backendNames,
    });
    const backends = supposedBackends(document.backends, test, path, { names, drivers });
    const [documentVariables, variables] = [textsOf(document.vars), textsOf(test.vars ?? {})];
    const { name, expect: expectations, selects = {}, cost } = test;
    return {
      name,
      path,
      now,
      documentVariables,
      variables,
      backends,
      objects,
      expectations,
      selects,
      cost,
    };
  });
  return { cases, diagnostics };
}

function checkExpectations(
  { expect, selects = {} }: CaseDocument,
  path: DocumentPath,
  names: NamedThings,
  known: { readonly objects: readonly string[]; readonly backends: readonly string[] },
): void {
  for (const [at, { object, action, from, to = [], blocked }] of expect.entries()) {
    const here = [...path, "expect", at];
    names.allKnown(object, known.objects, [...here, "object"], "object");
    names.known(from, known.backends, [...here, "from"], "backend");
    names.allKnown(to, known.backends, [...here, "to"], "backend");
    if (action === undefined && blocked === undefined) {
      const message = "this expects neither an action nor what blocks one";
      names.report("E0181", here, message, "add action: demote, action: none or blocked: held");
    }
    if (action !== undefined && blocked !== undefined) {
      const message = "an action and what blocks one are two things to expect";
      names.report("E0181", [...here, "blocked"], message, "write two entries");
    }
    if (action === "none" && (from !== undefined || to.length > 0)) {
      const message = "nothing happens, so that no copy comes or goes";
      names.report("E0181", [...here, "action"], message, "name the action, or leave from, to out");
    }
  }
  for (const [rule, objects] of Object.entries(selects)) {
    names.allKnown(objects, known.objects, [...path, "selects", rule], "object");
  }
}

function supposedBackends(
  backends: readonly FixtureBackend[],
  test: CaseDocument,
  path: DocumentPath,
  { names, drivers }: { readonly names: NamedThings; readonly drivers: readonly string[] },
): readonly SupposedBackend[] {
  const known = backends.map(({ name }) => name);
  const changes = test.backends ?? {};
  for (const [name, { driver }] of Object.entries(changes)) {
    names.knownKey(name, known, [...path, "backends", name], "backend");
    names.known(driver, drivers, [...path, "backends", name, "driver"], "driver");
  }
  return backends.map((backend) => {
    const change = changes[backend.name] ?? {};
    const merged = { ...backend, ...change };
    const { name, region, labels, driver, capacity, used, cordoned, price } = merged;
    const shared = used !== undefined && "share" in used;
    if (shared && capacity === undefined) {
      const own = change.used === undefined;
      const place = own ? ["backends", known.indexOf(name)] : [...path, "backends", name];
      const message = `backend "${name}" has no capacity that a share could be of`;
      names.report("E0181", [...place, "used"], message, "add capacity: 100GiB");
    }
    return {
      name,
      tier: change.tier ?? backend.tier,
      region,
      labels: labels ?? {},
      driver: driver ?? "local",
      capacityBytes: capacity,
      usedBytes:
        used === undefined ? 0 : shared ? Math.round(used.share * (capacity ?? 0)) : used.bytes,
      cordoned: cordoned ?? false,
      price: price === undefined ? freeOfCharge : priceCardOf(price),
    };
  });
}

function textsOf(
  values: Readonly<Record<string, string | number | boolean>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
