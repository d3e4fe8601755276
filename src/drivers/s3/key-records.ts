import { EngineError } from "#model/engine-error.ts";
import type { BucketClient, HeadResult } from "#drivers/s3/bucket-client.ts";
import type { Signal } from "#drivers/s3/bucket-requests.ts";
import { encodedKey, recordFolder } from "#drivers/s3/readable-keys.ts";
import { removeKey } from "#drivers/s3/remove-key.ts";

/**
 * What is noted down of copies with readable keys: two empty objects each, whose metadata say it.
 * One is named by the CID and says the key; the other is named by the key and says whose it is.
 */
export class KeyRecords {
  readonly #client: BucketClient;
  readonly #prefix: string;

  constructor(client: BucketClient, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
  }

  /** The key under which a copy lies, or will. */
  async keyOf(cid: string, signal: Signal): Promise<string | undefined> {
    const record = await this.#client.head(this.#byCid(cid), signal);
    const key = decodedKey(record?.metadata["key"]);
    return key?.startsWith(this.#prefix) === true ? key : undefined;
  }

  /** Notes down where the copy will lie; false when somebody noted another key meanwhile. */
  async note(cid: string, key: string, known: boolean, signal: Signal): Promise<boolean> {
    const metadata = { key: encodedKey(key) };
    const request = { key: this.#byCid(cid), metadata, create: !known, isRecord: true };
    return await this.#create(request, signal);
  }

  /** The object that has a key for its own, and since when. */
  async claimOn(key: string, signal: Signal): Promise<KeyClaim | undefined> {
    const found = await this.#client.head(this.#byKey(key), signal);
    const cid = found?.metadata["cid"];
    return cid === undefined ? undefined : { cid, since: found?.modifiedAt };
  }

  /** Takes a key for an object, before its bytes are sent. Undefined when another has it. */
  async claim(key: string, cid: string, signal: Signal): Promise<KeyClaim | undefined> {
    const request = { key: this.#byKey(key), metadata: { cid }, create: true, isRecord: true };
    await this.#create(request, signal);
    // Some services look first and store then, and let two in at the same moment: the last has it.
    const claim = await this.claimOn(key, signal);
    return claim?.cid === cid ? claim : undefined;
  }

  /**
   * What lies under a key, or `another's` where it may not even be looked at (encrypted with a key
   * of theirs) and nobody noted it as ours.
   */
  async look(key: string, signal: Signal): Promise<HeadResult | "another's" | undefined> {
    try {
      return await this.#client.head(key, signal);
    } catch (thrown) {
      const { details, retryable } = EngineError.from(thrown);
      const isRefused = details["status"] === 400 || details["status"] === 403;
      if (!isRefused || retryable) throw thrown;
      if ((await this.claimOn(key, signal)) !== undefined) throw thrown;
      return "another's";
    }
  }

  async release(key: string, signal: Signal): Promise<void> {
    await removeKey(this.#client, this.#byKey(key), { signal });
  }

  async forget(cid: string, signal: Signal): Promise<void> {
    await removeKey(this.#client, this.#byCid(cid), { signal });
  }

  async #create(request: Parameters<BucketClient["put"]>[0], signal: Signal): Promise<boolean> {
    try {
      await this.#client.put(request, new Uint8Array(), signal);
      return true;
    } catch (thrown) {
      if (isNotThisKey(EngineError.from(thrown))) return false;
      throw thrown;
    }
  }

  #byCid(cid: string): string {
    return `${this.#prefix}${recordFolder}by-cid/${cid}`;
  }

  #byKey(key: string): string {
    return `${this.#prefix}${recordFolder}by-key/${key.slice(this.#prefix.length)}`;
  }
}

export interface KeyClaim {
  readonly cid: string;
  /** By the clock of the service, to the second. */
  readonly since: Date | undefined;
}

/**
 * Somebody has it, or the service takes no such key: too long a name, or below another key, where
 * keys are files of a disk. A service that knows no conditions is no such case.
 */
function isNotThisKey({ code, details }: EngineError): boolean {
  const isRefused = code === "NOT_SUPPORTED" && details["status"] === 400;
  return code === "ALREADY_EXISTS" || code === "CONFLICT" || isRefused;
}

function decodedKey(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
