import { resolve } from "node:path";
import { isBucketUrl } from "#model/bucket-url.ts";

/** A field with a path of this machine, made absolute; places in buckets stay. */
export function absolute(
  key: "out" | "planFile" | "s3Inventory",
  path: string | undefined,
): Readonly<Record<string, string>> {
  if (path === undefined) return {};
  return { [key]: isBucketUrl(path) ? path : resolve(path) };
}
