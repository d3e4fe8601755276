import { join } from "node:path";
import { transfer, type TransferSource } from "#jobs/transfer.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { permit } from "../../test/conformance/sample-object.ts";
import { largeFile } from "../../test/round-trips/trip-content.ts";
import type { Side } from "./compare-sides.ts";
import type { Servers } from "./servers.ts";

/** A large file in a store, as our drivers and as other programs see it. */
export interface LargeFile {
  readonly object: ObjectRef;
  readonly source: TransferSource;
  readonly path: string;
}

/** Makes it. */
export async function storeLargeFile({ stores }: Servers, bytes: number): Promise<LargeFile> {
  const { object, body } = await largeFile(bytes);
  const driver = await stores.driver("large");
  const copy = (await driver.stat(object)) ?? (await driver.write(object, body()));
  const path = join(stores.folder, "large", copy.locator);
  return { object, source: { backend: "large", driver, copy }, path };
}

/** What a worker does with one large object. */
export function copying(
  object: ObjectRef,
  source: TransferSource,
  backend: string,
  driver: Driver,
): Side {
  return {
    run: async () => {
      const { evidence, moved } = await transfer(object, source, { backend, driver });
      if (!moved || evidence.confidence !== "verified") throw new Error("it was not copied");
    },
    clear: () => driver.remove(object, permit(object, backend)),
  };
}
