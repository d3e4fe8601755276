import { z } from "zod";
import { secretField } from "#model/secret-reference.ts";
import { durationOption } from "#drivers/contract/duration-option.ts";
import { sizeOption } from "#drivers/contract/size-option.ts";
import { webAddress } from "#drivers/contract/web-address.ts";

const mebibyte = 1024 * 1024;
const partBytesMin = 5 * mebibyte;
const partBytesMax = 5 * 1024 * mebibyte;

const partSize = sizeOption(
  "Bodies larger than this are uploaded in parts of this size, 5MiB to 5GiB. One upload takes " +
    "up to `concurrency` + 1 times as much memory, one read of a larger object `concurrency` times.",
).refine((bytes) => bytes >= partBytesMin && bytes <= partBytesMax, "must be 5MiB to 5GiB");

/** What S3 allows in tags (User Guide, "Tag restrictions"). */
const tagText = z.string().regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u, "has a character not for tags");

const s3Layouts = ["cid", "file", "car"] as const;

/** What may stand under `options:` of an s3 backend. */
export const s3Options = z
  .strictObject({
    bucket: z.string().min(3).max(63).describe("Name of the bucket; it must exist."),
    prefix: z
      .string()
      .default("")
      .transform((text) => (text === "" || text.endsWith("/") ? text : `${text}/`))
      .describe("Folder in the bucket under which everything is kept."),
    layout: z
      .enum(s3Layouts)
      .default("cid")
      .describe(
        "Keys of copies. cid: the CID. car: the CID, everything as a CAR. file: what people " +
          "call the object, <collection>/<path>; not to be changed back.",
      ),
    region: z
      .string()
      .optional()
      .describe("Region of the bucket; else what the AWS environment and profile say."),
    endpoint: webAddress("`accessKeyId` and `secretAccessKey`")
      .optional()
      .describe("Address of an S3-compatible service other than AWS."),
    forcePathStyle: z
      .boolean()
      .default(false)
      .describe("Put the bucket in the path, not the host name: most self-hosted services."),
    account: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Account or tenant whose bucket it is, under any name. Only where the service has buckets " +
          "of one name in several: backends with different ones are different storage.",
      ),
    accessKeyId: z
      .string()
      .min(1)
      .optional()
      .describe("Key id, or a reference to it; without it the AWS default chain is used."),
    secretAccessKey: secretField.optional(),
    sessionToken: secretField.optional(),
    storageClass: z.string().optional().describe("Storage class of new objects, e.g. STANDARD_IA."),
    tags: z
      .record(tagText.min(1).max(128), tagText.max(256))
      .default({})
      .refine((tags) => Object.keys(tags).length <= 10, "S3 takes ten tags at most")
      .describe("Tags of new objects, for lifecycle rules, access rules and bills at the service."),
    partSize: partSize.prefault("8MiB"),
    concurrency: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe("Parts of one upload sent, and of one large read fetched, at a time."),
    restoreDays: z
      .int()
      .min(1)
      .max(365)
      .default(3)
      .describe("Days for which a copy stays readable that was restored from an archive class."),
    restoreTier: z
      .enum(["expedited", "standard", "bulk"])
      .default("standard")
      .describe("How fast, and at which price, the service restores from an archive class."),
    abandonAfter: durationOption(
      "Inventories give up uploads that were begun, never ended and not touched for so long.",
    ).prefault("7d"),
    timeout: durationOption("A request without any progress for so long is given up.").prefault(
      "60s",
    ),
    checksums: z
      .boolean()
      .default(true)
      .describe("Send SHA-256 checksums for the service to check; false where it knows none."),
    conditionalCreate: z
      .boolean()
      .default(true)
      .describe("Create with If-None-Match; false where the service does not know it."),
  })
  .refine(
    (options) => (options.accessKeyId === undefined) === (options.secretAccessKey === undefined),
    {
      message: "accessKeyId and secretAccessKey go together",
      path: ["secretAccessKey"],
    },
  )
  .refine(({ layout, conditionalCreate }) => layout !== "file" || conditionalCreate, {
    message: "layout file needs conditionalCreate: others may store files under the same names",
    path: ["conditionalCreate"],
  });

export type S3Options = z.output<typeof s3Options>;
