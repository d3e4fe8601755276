import { backendsMax } from "#model/backend.ts";
import type { PreparedCase } from "#engine/policy-tests/prepare-tests.ts";
import { comparesObjects } from "#policies/testing/waves.ts";

/** Cases whose objects can lie in one index beside each other. */
export interface Stock {
  readonly heatHalfLifeMs: number | undefined;
  readonly cases: readonly PreparedCase[];
}

interface Open extends Stock {
  readonly cases: PreparedCase[];
  readonly cids: Set<string>;
  readonly backends: Set<string>;
  readonly alone: boolean;
}

/**
 * As few indexes as will do, since making one costs more than a case: only a case whose rules
 * compare objects needs its own, and cases that suppose the same CID need one each.
 */
export function stockCases(cases: readonly PreparedCase[]): readonly Stock[] {
  const stocks: Open[] = [];
  for (const one of cases) {
    const { heatHalfLifeMs } = one.suite;
    const alone = comparesObjects(one.policies);
    const cids = one.test.objects.map(({ fixture }) => fixture.cid);
    const backends = one.test.backends.map(({ name }) => name);
    const fitting = stocks.find(
      (stock) =>
        !alone &&
        !stock.alone &&
        stock.heatHalfLifeMs === heatHalfLifeMs &&
        !cids.some((cid) => stock.cids.has(cid)) &&
        new Set([...stock.backends, ...backends]).size <= backendsMax,
    );
    const stock = fitting ?? opened(heatHalfLifeMs, alone);
    if (fitting === undefined) stocks.push(stock);
    stock.cases.push(one);
    for (const cid of cids) stock.cids.add(cid);
    for (const name of backends) stock.backends.add(name);
  }
  return stocks;
}

function opened(heatHalfLifeMs: number | undefined, alone: boolean): Open {
  return { heatHalfLifeMs, alone, cases: [], cids: new Set(), backends: new Set() };
}
