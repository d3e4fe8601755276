import type { HeadObjectOutput } from "@aws-sdk/client-s3";
import type { ArchiveState } from "#drivers/s3/bucket-client.ts";

/** Classes whose objects cannot be read before they are restored (S3 User Guide, archives). */
const archiveClasses: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** Reads from the headers of an object whether, and how, it lies in an archive. */
export function archiveOf(
  answer: Pick<HeadObjectOutput, "StorageClass" | "ArchiveStatus" | "Restore">,
): ArchiveState | undefined {
  const {
    StorageClass: storageClass = "STANDARD",
    ArchiveStatus: tier,
    Restore: text = "",
  } = answer;
  if (!archiveClasses.has(storageClass) && tier === undefined) return undefined;
  return {
    storageClass: tier === undefined ? storageClass : `${storageClass}, ${tier}`,
    restoring: text.includes('ongoing-request="true"'),
    readableUntil: /expiry-date="([^"]+)"/.exec(text)?.[1],
    // Intelligent tiering moves a restored object back for good.
    isPermanent: tier !== undefined,
  };
}

/** Whether new objects of this class will have to be restored. */
export function isArchiveClass(storageClass: string | undefined): boolean {
  return storageClass !== undefined && archiveClasses.has(storageClass);
}
