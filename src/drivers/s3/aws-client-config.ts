import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { DriverContext } from "#model/driver.ts";
import { parseSecretReference } from "#model/secret-reference.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

const connectionTimeoutMs = 10_000;

/** How long a service may say nothing before a request counts as lost, in milliseconds. */
export interface SilenceLimits {
  readonly usual: number;
  /** While it puts objects together, or copies them within itself: minutes for large ones. */
  readonly assembling: number;
}

const assemblingMs = 15 * 60_000;

export function silenceLimitsOf(usual: number): SilenceLimits {
  return { usual, assembling: Math.max(usual, assemblingMs) };
}

/** Secrets are asked for again after this long, so that a rotated one is picked up. */
const credentialsForMs = 3_600_000;

/** The settings of the SDK for one backend. Secrets are fetched at the first request. */
export function clientConfig(context: DriverContext<S3Options>, silenceMs: number): S3ClientConfig {
  const { options } = context;
  const { accessKeyId, secretAccessKey, sessionToken, region, endpoint } = options;
  const reveal = (value: string): Promise<string> =>
    parseSecretReference(value) === undefined ? Promise.resolve(value) : context.secret(value);
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: async () => ({
            accessKeyId: await reveal(accessKeyId),
            secretAccessKey: await reveal(secretAccessKey),
            ...(sessionToken === undefined ? {} : { sessionToken: await reveal(sessionToken) }),
            expiration: new Date(Date.now() + credentialsForMs),
          }),
        };
  // Services other than AWS take any region, but the signature must name one.
  const where = region ?? (endpoint === undefined ? undefined : "us-east-1");
  return {
    ...credentials,
    ...(where === undefined ? {} : { region: where }),
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: options.forcePathStyle,
    // So that importers of access logs can tell our own reads from those of people.
    customUserAgent: "thermocline",
    // We send checksums ourselves, and every byte that comes back is re-hashed anyway.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: connectionTimeoutMs, socketTimeout: silenceMs },
  };
}
