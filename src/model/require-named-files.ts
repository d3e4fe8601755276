import type { Driver, NamedFiles } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** A driver that keeps files by name; NOT_SUPPORTED when this kind of storage does not. */
export function requireNamedFiles(driver: Driver, backend: string): Driver & NamedFiles {
  if (keepsNamedFiles(driver)) return driver;
  throw new EngineError("NOT_SUPPORTED", `${backend} (${driver.kind}) keeps no files by name`, {
    hint: "use a local or s3 backend; `index snapshot export` writes one CAR for any other place",
  });
}

function keepsNamedFiles(driver: Driver): driver is Driver & NamedFiles {
  return driver.writeNamed !== undefined;
}
