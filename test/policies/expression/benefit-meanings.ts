import { freeOfCharge, type PriceCard } from "#model/backend.ts";
import { dayMs, type TestObject } from "./random-objects.ts";

/** What each backend charges, by id. */
export const testPrices: readonly PriceCard[] = [
  { ...freeOfCharge, perGibMonth: 0.023, minimumBytes: 2 ** 20 },
  { ...freeOfCharge, perGibMonth: 0.021, perRead: 0.000_01, egressPerGib: 0.09 },
  { ...freeOfCharge, perRead: 0.000_02, egressPerGib: 0.02, retrievalPerGib: 0.03 },
  freeOfCharge,
];

const ids = testPrices.map((_, id) => id);
const monthMs = 30 * dayMs;

/** Conditions with `benefit`, with their meaning, as in random-expressions.ts. */
export const benefitConditions: readonly {
  readonly text: string;
  readonly of: (object: TestObject) => boolean | null;
}[] = [
  condition("benefit(tier = hot) > 0 USD/month", [0], (usd) => usd > 0),
  condition("benefit(tier = hot) >= -0.00001 USD/month", [0], (usd) => usd >= -0.000_01),
  condition('benefit(backend = "b1") < 0.0001 USD/month', [1], (usd) => usd < 0.000_1),
  condition("benefit(tier <= warm) > 0.000001 USD/day", [0, 1], (usd) => usd / 30 > 0.000_001),
  condition("benefit(tier >= cold) > 0.00002 USD/month", [2, 3], (usd) => usd > 0.000_02),
  condition("benefit(tier >= hot) < 1 USD/month", ids, (usd) => usd < 1),
  {
    text: "missing(benefit(tier = cache)) and not missing(benefit(tier = hot))",
    of: () => true,
  },
];

function condition(text: string, on: readonly number[], holds: (usdMonth: number) => boolean) {
  return {
    text,
    of: (object: TestObject) => {
      const usd = benefitOf(object, on);
      return usd === null ? null : holds(usd);
    },
  };
}

/** In dollars a month. A half-life is seven days, and the landmark is four of them ago. */
function benefitOf({ size, weight, copies }: TestObject, on: readonly number[]): number | null {
  const others = ids.filter((id) => !on.includes(id));
  if (others.length === 0) return null;
  const read = (id: number) => {
    const { perRead, egressPerGib, retrievalPerGib } = testPrices[id] ?? freeOfCharge;
    return perRead + (size / 2 ** 30) * (egressPerGib + retrievalPerGib);
  };
  const has = others.filter((id) => copies[`${id}`] !== undefined);
  const elsewhere = Math.min(...(has.length === 0 ? others : has).map(read));
  const reads = (weight / 16) * Math.LN2 * (monthMs / (7 * dayMs));
  return Math.max(
    ...on.map((id) => {
      const { perGibMonth, minimumBytes } = testPrices[id] ?? freeOfCharge;
      const kept = (Math.max(size, minimumBytes) / 2 ** 30) * perGibMonth;
      return reads * (elsewhere - read(id)) - kept;
    }),
  );
}
