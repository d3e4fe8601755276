import {
  booleanType,
  bytesType,
  durationType,
  numberType,
  percentType,
  quantity,
  textType,
  tierType,
  timestampType,
  type ValueType,
} from "#policies/expression/value-type.ts";

/** The types a variable may be declared with. */
export const variableTypes = {
  duration: durationType,
  size: bytesType,
  number: numberType,
  percent: percentType,
  text: textType,
  boolean: booleanType,
  timestamp: timestampType,
  tier: tierType,
  money: quantity({ money: 1 }),
  price: quantity({ money: 1, bytes: -1, time: -1 }),
} as const satisfies Readonly<Record<string, ValueType>>;

export type VariableTypeName = keyof typeof variableTypes;
export const variableTypeNames = Object.keys(variableTypes) as readonly VariableTypeName[];
