import { EngineError } from "#model/engine-error.ts";
import type { BucketClient } from "#drivers/s3/bucket-client.ts";
import { recordFolder } from "#drivers/s3/readable-keys.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/** Looks whether the bucket answers, and is of this layout. */
export async function probeLayout(
  client: BucketClient,
  options: Pick<S3Options, "bucket" | "prefix" | "layout">,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Whatever else lies in the bucket may come before it in a list of all.
  const prefix = options.prefix + recordFolder;
  const probe = { prefix, folders: true, after: undefined, token: undefined, limit: 1 };
  const { entries } = await client.list(probe, signal);
  const keys = entries.map(({ key }) => key);
  refuseNamedCopies(options, keys);
}

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
