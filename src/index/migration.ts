/** One step of the schema, forward only. A released migration never changes. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly statements: readonly string[];
}
