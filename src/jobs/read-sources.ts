import type { StepContext } from "#jobs/step-context.ts";
import type { Driver } from "#model/driver.ts";

/** A backend that this node reaches. */
export interface Endpoint {
  readonly backend: string;
  readonly driver: Driver;
}

/** What a step may read from: the planned source first, then every other backend but its target. */
export function sourcesOf({ data, drivers }: StepContext): readonly Endpoint[] {
  const { source, target } = data;
  return [...drivers]
    .filter(([backend]) => backend !== target)
    .map(([backend, driver]) => ({ backend, driver }))
    .toSorted((a, b) => Number(b.backend === source) - Number(a.backend === source));
}
