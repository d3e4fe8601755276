/** Values for variables of policies, in the place of their defaults. */
export type VariableValues = Readonly<Record<string, string>>;
