import { hash } from "node:crypto";
import type { DriverContext, StorageIdentity } from "#model/driver.ts";
import type { PinningOptions } from "#drivers/pinning-service/pinning-options.ts";

/**
 * The account, whatever `meta` tells its pins apart: a service keeps content once. One token is one
 * account, however its reference or the address is written; the token is in the name as its hash.
 */
export function pinningIdentity({
  options: { url, token },
  secret,
}: Pick<DriverContext<PinningOptions>, "options" | "secret">): StorageIdentity {
  const { origin, pathname } = new URL(url);
  const service = `${origin}${pathname.replace(/\/{2,}/g, "/").replace(/\/$/, "")}`;
  const names = async () => [`${hash("sha256", await secret(token))} at ${service}`];
  return { kind: "pinning-service", names };
}
