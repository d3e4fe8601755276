import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

type Collector = Driver & Required<Pick<Driver, "collectGarbage">>;

/** A driver that frees room by a collection; NOT_SUPPORTED where there is nothing to collect. */
export function requireGarbage(driver: Driver, backend: string): Collector {
  if (collects(driver)) return driver;
  const message = `${backend} (${driver.kind}) has no garbage that could be collected from here`;
  throw new EngineError("NOT_SUPPORTED", message, {
    hint: "removals free its room at once, or the service itself collects what they leave",
  });
}

function collects(driver: Driver): driver is Collector {
  return driver.collectGarbage !== undefined;
}
