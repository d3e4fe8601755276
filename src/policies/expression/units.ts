import { durationUnitNames, parseDuration, parseSize, sizeUnitNames } from "#model/quantity.ts";
import {
  type Dimension,
  percentType,
  quantity,
  type ValueType,
} from "#policies/expression/value-type.ts";

export interface Unit {
  readonly factor: number;
  readonly type: ValueType;
}

const numberUnits: Readonly<Record<string, number>> = { k: 1e3, M: 1e6 };

/** Times that may stand under a slash, besides the units of durations. A month is 30 days. */
const perTimes: Readonly<Record<string, number>> = {
  sec: 1e3,
  second: 1e3,
  min: 6e4,
  minute: 6e4,
  hour: 36e5,
  day: 864e5,
  week: 7 * 864e5,
  month: 30 * 864e5,
  year: 365 * 864e5,
};

/** The unit right after a number: `d`, `GiB`, `%`, `k`, `USD`; undefined when it is none. */
export function unitNamed(name: string): Unit | undefined {
  if (name === "%") return { factor: 0.01, type: percentType };
  if (name === "USD") return { factor: 1, type: quantity({ money: 1 }) };
  if (Object.hasOwn(numberUnits, name)) return { factor: numberUnits[name]!, type: quantity({}) };
  if (durationUnitNames.includes(name)) {
    return { factor: parseDuration(`1${name}`), type: quantity({ time: 1 }) };
  }
  if (sizeUnitNames.includes(name)) {
    return { factor: parseSize(`1${name}`), type: quantity({ bytes: 1 }) };
  }
  return undefined;
}

/** The unit after a slash: `/min`, `/GiB`, `/month`. */
export function unitPer(name: string): Unit | undefined {
  if (Object.hasOwn(perTimes, name)) {
    return { factor: perTimes[name]!, type: quantity({ time: 1 }) };
  }
  const unit = unitNamed(name);
  return unit?.type.kind === "quantity" && isBase(unit.type.dimension) ? unit : undefined;
}

/** Every word that may follow a number, for "did you mean". */
export const unitNames: readonly string[] = [
  ...durationUnitNames,
  ...sizeUnitNames,
  "USD",
  "%",
  "k",
  "M",
];

function isBase({ bytes, time }: Dimension): boolean {
  return bytes + time === 1;
}
