import {
  booleanType,
  bytesType,
  durationType,
  numberType,
  percentType,
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
} as const satisfies Readonly<Record<string, ValueType>>;

export type VariableTypeName = keyof typeof variableTypes;
export const variableTypeNames = Object.keys(variableTypes) as readonly VariableTypeName[];
