import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import type { Backend } from "#model/backend.ts";
import type { FixtureObject } from "#model/fixture.ts";
import type { CaseDocument, Expectation } from "#policies/testing/policy-test-schema.ts";

/** One test document, read and checked without knowing the policies. Frozen data. */
export interface PolicyTest {
  readonly name: string;
  /** Files, folders and globs, relative to the file of the test. */
  readonly policies: readonly string[];
  readonly heatHalfLifeMs: number | undefined;
  readonly minimumCopies: number;
  readonly cases: readonly TestCase[];
  readonly places: DocumentPlaces;
}

/** What is supposed, and what shall come of it. */
export interface TestCase {
  readonly name: string;
  /** Path of the case in its document. */
  readonly path: DocumentPath;
  readonly now: Date;
  /** What its document says of variables, for all its tests. */
  readonly documentVariables: Readonly<Record<string, string>>;
  /** What the test says itself, which nothing overrides. */
  readonly variables: Readonly<Record<string, string>>;
  readonly backends: readonly SupposedBackend[];
  readonly objects: readonly SupposedObject[];
  readonly expectations: readonly Expectation[];
  /** By the name of a rule as written, the objects that it selects. */
  readonly selects: Readonly<Record<string, readonly string[]>>;
  /** What its actions cost; it is not asked about what is not said. */
  readonly cost: CaseDocument["cost"];
}

export type SupposedBackend = Pick<
  Backend,
  | "name"
  | "driver"
  | "tier"
  | "region"
  | "labels"
  | "capacityBytes"
  | "usedBytes"
  | "cordoned"
  | "price"
>;

export interface SupposedObject {
  readonly name: string;
  readonly fixture: FixtureObject;
}
