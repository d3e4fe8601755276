import type { PreparedCase } from "#engine/policy-tests/prepare-tests.ts";
import {
  runGroup,
  type StockedCase,
  type StockResult,
  type StockRun,
} from "#engine/policy-tests/run-group.ts";
import type { Stock } from "#engine/policy-tests/stock-cases.ts";
import { FixtureIndex } from "#index/fixture-index.ts";
import type { Backend } from "#model/backend.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { DriverDefinition } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { CaseReport } from "#model/policy-test-report.ts";
import type { SupposedBackend } from "#policies/testing/policy-test.ts";

/** Puts the objects of all cases into one index, and asks the planner about each case. */
export async function runStock(
  { heatHalfLifeMs, cases }: Stock,
  run: StockRun,
): Promise<StockResult> {
  const now = new Date(Math.max(...cases.map(({ test }) => test.now.getTime())));
  await using index = await FixtureIndex.open({ now, heatHalfLifeMs });
  const named = new Map(
    cases.flatMap(({ test }) => test.backends.map((backend) => [backend.name, backend])),
  );
  const objects = cases.flatMap(({ test }) => test.objects.map(({ fixture }) => fixture));
  const facts = [...named.values()].map((backend) => backendOf(backend, 0, run.drivers));
  const ids = await index.load(facts, objects);
  await using session = await index.session();
  const heat = await index.heat();
  const reports = new Map<PreparedCase, CaseReport>();
  const diagnostics: Diagnostic[] = [];
  for (const group of alike(withIds(cases, ids.objects))) {
    const { test } = group[0];
    const backends = test.backends.map((backend) =>
      backendOf(backend, ids.backends.get(backend.name) ?? -1, run.drivers),
    );
    const moment = { now: test.now, backends, heat };
    const result = await runGroup(group, { ...run, moment, session });
    for (const [prepared, report] of result.reports) reports.set(prepared, report);
    diagnostics.push(...result.diagnostics);
  }
  return { reports, diagnostics };
}

function withIds(cases: readonly PreparedCase[], ids: readonly number[]): readonly StockedCase[] {
  let from = 0;
  return cases.map((prepared) => {
    const past = from + prepared.test.objects.length;
    const own = ids.slice(from, past);
    from = past;
    return { ...prepared, prepared, ids: own };
  });
}

/** Cases of one document that differ in nothing but their objects and what they expect. */
function alike(
  cases: readonly StockedCase[],
): readonly (readonly [StockedCase, ...StockedCase[]])[] {
  const groups = new Map<unknown, Map<string, [StockedCase, ...StockedCase[]]>>();
  for (const one of cases) {
    const { now, variables, backends } = one.test;
    const key = JSON.stringify([now, variables, backends]);
    const ofSuite = groups.get(one.suite) ?? new Map<string, [StockedCase, ...StockedCase[]]>();
    groups.set(one.suite, ofSuite);
    const group = ofSuite.get(key);
    if (group === undefined) ofSuite.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()].flatMap((ofSuite) => [...ofSuite.values()]);
}

function backendOf(
  supposed: SupposedBackend,
  id: number,
  drivers: ReadonlyMap<string, DriverDefinition>,
): Backend {
  const { capacityBytes, usedBytes } = supposed;
  const driver = drivers.get(supposed.driver);
  if (driver === undefined) throw new EngineError("INTERNAL", `no driver ${supposed.driver}`);
  return {
    ...supposed,
    id,
    freeBytes: capacityBytes === undefined ? undefined : Math.max(0, capacityBytes - usedBytes),
    capabilities: driver.capabilities,
  };
}
