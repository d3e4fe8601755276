import { EngineError } from "#model/engine-error.ts";
import { recordFolder } from "#drivers/s3/readable-keys.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/**
 * Throws where a backend whose keys are CIDs looks at a folder that was filled with keys for people:
 * it would find none of those copies, and call each of them lost. `found` are keys or folders.
 */
export function refuseNamedCopies(
  { bucket, prefix, layout }: Pick<S3Options, "bucket" | "prefix" | "layout">,
  found: readonly string[],
): void {
  if (layout === "file" || !found.some((name) => name.startsWith(prefix + recordFolder))) return;
  const message = `the copies in ${bucket}/${prefix} were stored with the layout \`file\``;
  throw new EngineError("CONFLICT", message, {
    retryable: false,
    hint: "set `layout: file` again; another layout needs a `prefix` of its own",
  });
}
