import type { S3Client } from "@aws-sdk/client-s3";
import { EngineError } from "#model/engine-error.ts";
import type { KeyVersion, PutRequest } from "#drivers/s3/bucket-client.ts";
import type { BucketRequests, Signal } from "#drivers/s3/bucket-requests.ts";
import { versioningStatus } from "#drivers/s3/bucket-versioning.ts";
import { keyVersions } from "#drivers/s3/key-versions.ts";
import { parseObjectKey } from "#drivers/s3/object-key.ts";
import { httpStatus, wasCut } from "#drivers/s3/s3-error.ts";

/**
 * Sends a request under its condition. A key that was deleted in a bucket with versions can be
 * created (S3 User Guide, "Conditional writes"), but some services (versitygw) take the marker of
 * its deletion for an object: they answer 412, or cut the connection while a large body is on its
 * way. The request goes out once more without the condition only where that can lose nothing: the
 * key is the CID of the content, so whoever stores under it meanwhile stores the same, and the
 * bucket keeps versions now, so that even this stays as an older one. Elsewhere the error names
 * the marker and what takes it away: another's object could be replaced, and where versioning is
 * suspended it would be gone.
 */
export async function createOverMarker<Answer>(
  client: S3Client,
  requests: BucketRequests,
  request: PutRequest,
  signal: Signal,
  send: (condition: ReturnType<BucketRequests["condition"]>) => Promise<Answer>,
): Promise<Answer> {
  const condition = requests.condition(request);
  try {
    return await send(condition);
  } catch (thrown) {
    const isRefused = httpStatus(thrown) === 412;
    if (condition.IfNoneMatch === undefined || !(isRefused || wasCut(thrown))) throw thrown;
    try {
      const marker = await newestMarker(client, requests.bucket, request.key, signal);
      if (marker === undefined) throw thrown;
      if (!(await losesNothing(client, requests, request, signal))) {
        // A connection may have been cut for another reason: the next try tells.
        throw markerInTheWay(requests, request.key, marker, thrown, !isRefused);
      }
    } catch (failed) {
      // Who cuts connections may not answer questions either: that is no news.
      throw isRefused || failed instanceof EngineError ? failed : thrown;
    }
    return await send({});
  }
}

/** Where the newest version is the marker of a deletion; undefined too where we may not look. */
async function newestMarker(
  client: S3Client,
  bucket: string,
  key: string,
  signal: Signal,
): Promise<KeyVersion | undefined> {
  try {
    const versions = await keyVersions(client, bucket, key, signal);
    return versions.find(({ isLatest, isMarker }) => isLatest && isMarker);
  } catch (thrown) {
    if (mayNotAsk.has(httpStatus(thrown))) return undefined;
    throw thrown;
  }
}

async function losesNothing(
  client: S3Client,
  { bucket, options }: BucketRequests,
  { key }: PutRequest,
  signal: Signal,
): Promise<boolean> {
  if (options.layout === "file" || parseObjectKey(options.prefix, key) === undefined) return false;
  try {
    return (await versioningStatus(client, bucket, signal)) === "Enabled";
  } catch (thrown) {
    if (mayNotAsk.has(httpStatus(thrown))) return false;
    throw thrown;
  }
}

/** No right to ask, or the service knows no such request. */
const mayNotAsk: ReadonlySet<number | undefined> = new Set([403, 405, 501]);

function markerInTheWay(
  { bucket, options: { endpoint } }: BucketRequests,
  key: string,
  { versionId }: KeyVersion,
  cause: unknown,
  retryable: boolean,
): EngineError {
  const place = `--bucket ${quoted(bucket)} --key ${quoted(key)} --version-id ${quoted(versionId)}`;
  const at = endpoint === undefined ? "" : ` --endpoint-url ${quoted(endpoint)}`;
  return new EngineError(
    "NOT_SUPPORTED",
    `${key} in bucket ${bucket} was deleted, and the service takes the delete marker ${versionId} for an object: nothing can be created there`,
    {
      hint: `remove the marker, which brings back the version before it: aws s3api delete-object ${place}${at}`,
      retryable,
      cause,
    },
  );
}

/** For a shell: people give their files any names. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
