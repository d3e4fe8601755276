import type { Driver, ObjectGroups } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** The ways of a driver to groups of objects; undefined while it has none. */
export function groupsWith(driver: Driver | undefined): ObjectGroups | undefined {
  return driver !== undefined && takesGroups(driver) ? driver : undefined;
}

/** The same for who knows that it has them; NOT_SUPPORTED when it has not. */
export function requireGroups(driver: Driver): ObjectGroups {
  const groups = groupsWith(driver);
  if (groups !== undefined) return groups;
  throw new EngineError("NOT_SUPPORTED", `driver ${driver.kind} takes no groups of objects`);
}

function takesGroups(driver: Driver): driver is Driver & ObjectGroups {
  return driver.readGroup !== undefined && driver.storeGroup !== undefined;
}
