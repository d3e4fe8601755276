import type { S3Client } from "@aws-sdk/client-s3";

const checksumHeader = "x-amz-checksum-sha256";
const payloadHeader = "x-amz-content-sha256";
/** Requests whose checksum is that of the body they carry. */
const ofTheirBody: ReadonlySet<string | undefined> = new Set([
  "PutObjectCommand",
  "UploadPartCommand",
]);

interface Headed {
  readonly headers: Record<string, string>;
}

/**
 * The signature of a request holds the SHA-256 of its body (Signature Version 4), which is the one
 * that we send as its checksum: without this the SDK hashes the same bytes a second time.
 */
export function signByChecksum(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const { headers } = args.request as Headed;
        const checksum = ofTheirBody.has(commandName) ? headers[checksumHeader] : undefined;
        if (checksum !== undefined) {
          headers[payloadHeader] = Buffer.from(checksum, "base64").toString("hex");
        }
        return next(args);
      },
    { step: "build", name: "signByChecksum" },
  );
}
