import type { Confidence, Evidence, ObjectRef } from "#model/copy.ts";
import type { CallOptions, ThawState } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type {
  ArchiveState,
  BucketClient,
  RestoreRequest,
  SentChecksum,
} from "#drivers/s3/bucket-client.ts";
import { isArchiveClass } from "#drivers/s3/archive-of.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/** Of so many objects just written the checksum is remembered until they are checked. */
const rememberedMax = 10_000;

const tiers = { expedited: "Expedited", standard: "Standard", bulk: "Bulk" } as const;
/** How often it is worth asking, and what the S3 User Guide says of the time a restore takes. */
const paces = {
  expedited: { askAfterMs: 60_000, takes: "minutes" },
  standard: { askAfterMs: 15 * 60_000, takes: "hours (3 to 5, in the deepest class 12)" },
  bulk: { askAfterMs: 30 * 60_000, takes: "hours (5 to 12, in the deepest class 48)" },
} as const;

/** Objects of classes that cannot be read at once: how they are restored, and checked unread. */
export class ArchivedObjects {
  readonly #client: BucketClient;
  readonly #options: S3Options;
  /** By CID and key: a key that a person can read may be used again for another object. */
  readonly #sent = new Map<string, string>();

  constructor(client: BucketClient, options: S3Options) {
    this.#client = client;
    this.#options = options;
  }

  /** Keeps what the check of an object that was just written will rest on. */
  remember({ cid }: ObjectRef, key: string, checksum: SentChecksum): void {
    if (checksum === undefined || !isArchiveClass(this.#options.storageClass)) return;
    this.#sent.delete(`${cid} ${key}`);
    this.#sent.set(`${cid} ${key}`, checksum);
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > rememberedMax && oldest !== undefined) this.#sent.delete(oldest);
  }

  async thaw(key: string, { signal }: CallOptions): Promise<ThawState> {
    const found = await this.#client.head(key, signal);
    if (found === undefined) throw new EngineError("NOT_FOUND", `${key} is not there`);
    const { archive } = found;
    if (archive === undefined) return readable("it lies in no archive");
    if (archive.readableUntil !== undefined) {
      return readable(`restored, readable until ${archive.readableUntil}`);
    }
    if (!archive.restoring) await this.#client.restore(key, this.#request(archive), signal);
    const { askAfterMs, takes } = paces[this.#options.restoreTier];
    const since = archive.restoring ? "is being restored" : "was asked to be restored";
    const message = `${key} ${since} from ${archive.storageClass}; that takes ${takes}`;
    return { readable: false, askAfterMs, message };
  }

  /**
   * The check of a copy that cannot be read. What this process wrote is compared by the SHA-256
   * that the service took of what it received; of anything else only presence is known.
   */
  async evidence(
    { cid }: ObjectRef,
    key: string,
    level: Confidence,
    signal: AbortSignal | undefined,
  ): Promise<Found> {
    const checkedAt = new Date().toISOString();
    const sent = this.#sent.get(`${cid} ${key}`);
    const kept = sent === undefined ? undefined : await this.#client.checksum(key, signal);
    if (sent === undefined || kept === undefined) {
      const method = "looked for it: right size; in an archive class, not read";
      return { finding: "present", confidence: "listed", method, checkedAt, bytesRead: 0 };
    }
    const isSame = kept === sent;
    return {
      finding: isSame ? "present" : "corrupt",
      confidence: level,
      method: isSame
        ? "SHA-256 that the service took of what it received is that of the bytes sent"
        : "SHA-256 of the service is not that of the bytes sent",
      checkedAt,
      bytesRead: 0,
    };
  }

  #request({ isPermanent }: ArchiveState): RestoreRequest {
    const { restoreDays, restoreTier } = this.#options;
    return { days: isPermanent ? undefined : restoreDays, tier: tiers[restoreTier] };
  }
}

type Found = Omit<Evidence, "backend" | "cid">;

function readable(message: string): ThawState {
  return { readable: true, askAfterMs: 0, message };
}
