import { setTimeout as sleep } from "node:timers/promises";
import { bytesBurst, Throttle } from "#jobs/limits/throttle.ts";
import { TokenBucket } from "#jobs/limits/token-bucket.ts";
import { bandwidthAt } from "#model/bandwidth-clock.ts";
import { unlimited, type Bandwidth, type BandwidthTimetable } from "#model/bandwidth.ts";
import type { BackendLimits, NodeLimits } from "#model/backend-limits.ts";
import type { EngineApi } from "#model/engine-api.ts";

/** Shares are asked for this often while the node works: a change is felt within two seconds. */
const askEveryMs = 1_000;
/** An idle node only wants to know how many batches it may take. */
const askIdleEveryMs = 5_000;
/** A share older than this may have gone to somebody else. */
const freshForMs = 2_500;
/** A controller that does not answer holds nobody up for longer. */
const patienceMs = 2_000;

export interface NodeThrottlesOptions {
  readonly backends: readonly { readonly name: string; readonly limits: BackendLimits }[];
  readonly node: NodeLimits;
  readonly now?: () => Date;
}

/** Where a node gets its shares from. */
export interface ShareSource {
  readonly node: string;
  readonly api: Partial<Pick<EngineApi, "limitShares">>;
  /** Hears how many batches of a backend this node may work on at the same time. */
  readonly onPerNode?: (backend: string, batches: number) => void;
}

/**
 * The throttles of one process, one for each backend. Alone they keep to the limits of the
 * configuration; connected to a controller, to the share it gives this node. While the
 * controller is away the last share holds.
 */
export class NodeThrottles {
  readonly #options: NodeThrottlesOptions;
  readonly #node = {
    upload: new TokenBucket({ ...bytesBurst, rate: undefined }),
    download: new TokenBucket({ ...bytesBurst, rate: undefined }),
  };
  readonly #throttles = new Map<string, Throttle>();
  readonly #answeredAt = new Map<string, number>();
  #source: ShareSource | undefined;
  #asking: Promise<void> | undefined;
  #askedAt = -Infinity;
  #failedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NodeThrottlesOptions) {
    this.#options = options;
    for (const { name: backend } of options.backends) {
      const refresh = () => this.#refresh(backend);
      const onHold = () => void this.#ask();
      this.#throttles.set(backend, new Throttle({ backend, node: this.#node, refresh, onHold }));
    }
    this.#applyOwn();
  }

  of(backend: string): Throttle | undefined {
    return this.#throttles.get(backend);
  }

  /** From now on this node works with shares. */
  connect(source: ShareSource): void {
    this.#source = source;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const active = [...this.#throttles.values()].some((throttle) => throttle.active);
      const dueMs = active ? askEveryMs : askIdleEveryMs;
      this.#applyNode();
      // Timers come a little early at times; half a period is never too soon.
      if (performance.now() - this.#askedAt > dueMs - askEveryMs / 2) void this.#ask();
    }, askEveryMs);
    this.#timer.unref();
    void this.#ask();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#source = undefined;
  }

  #refresh(backend: string): Promise<void> | undefined {
    const now = performance.now();
    if (this.#source?.api.limitShares === undefined) {
      if (now - this.#askedAt >= askEveryMs) this.#applyOwn();
      return undefined;
    }
    if (this.#fresh(backend)) return undefined;
    // Nobody waits for a controller that did not answer a moment ago: what is known holds.
    if (now - this.#failedAt < askEveryMs) return undefined;
    return Promise.race([this.#catchUp(backend), this.#losePatience()]);
  }

  #fresh(backend: string): boolean {
    return performance.now() - (this.#answeredAt.get(backend) ?? -Infinity) < freshForMs;
  }

  /** A question that was on its way already did not ask for this backend yet. */
  async #catchUp(backend: string): Promise<void> {
    await this.#ask();
    if (!this.#fresh(backend)) await this.#ask();
  }

  async #losePatience(): Promise<void> {
    await sleep(patienceMs, undefined, { ref: false });
    if (performance.now() - this.#askedAt > patienceMs / 2) this.#failedAt = performance.now();
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#askNow().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askNow(): Promise<void> {
    const source = this.#source;
    if (source?.api.limitShares === undefined) return;
    this.#askedAt = performance.now();
    const backends = [...this.#throttles.values()].map((throttle) => throttle.use());
    const shares = await source.api.limitShares({ node: source.node, backends }).catch(() => {
      this.#failedAt = performance.now();
      return [];
    });
    for (const share of shares) {
      source.onPerNode?.(share.backend, share.perNode);
      const asked = backends.find((use) => use.backend === share.backend);
      if (asked?.active !== true) continue;
      this.#throttles.get(share.backend)?.apply(share);
      this.#answeredAt.set(share.backend, performance.now());
    }
  }

  /** What the configuration of this node says, for all that no controller said more about. */
  #applyOwn(): void {
    this.#askedAt = performance.now();
    for (const { name, limits } of this.#options.backends) {
      const { upload, download } = this.#bandwidth(limits.bandwidth, limits.timeZone);
      const requests = limits.requestsPerSecond;
      this.of(name)?.apply({
        ...(upload === undefined ? {} : { upload }),
        ...(download === undefined ? {} : { download }),
        ...(requests === undefined ? {} : { requests }),
      });
    }
    this.#applyNode();
  }

  #applyNode(): void {
    const { upload, download } = this.#bandwidth(this.#options.node.bandwidth, undefined);
    this.#node.upload.setRate(upload);
    this.#node.download.setRate(download);
  }

  #bandwidth(timetable: BandwidthTimetable | undefined, timeZone: string | undefined): Bandwidth {
    if (timetable === undefined) return unlimited;
    const now = this.#options.now?.() ?? new Date();
    return bandwidthAt(timetable, now, timeZone).slot.bandwidth;
  }
}
