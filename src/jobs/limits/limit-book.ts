import { ShareTable } from "#jobs/limits/share-table.ts";
import { bandwidthAt, type BandwidthNow } from "#model/bandwidth-clock.ts";
import { formatBandwidth, parseBandwidth } from "#model/bandwidth.ts";
import type {
  BackendLimits,
  BackendShare,
  BackendUse,
  EffectiveLimits,
  LimitOverride,
  LimitUse,
  ShareRequest,
} from "#model/backend-limits.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatRequestRate, parseRequestRate } from "#model/request-rate.ts";
import type { Wait } from "#model/wait.ts";
import { unknownBackend } from "#model/unknown-backend.ts";

/** Where limits that were set while running are kept. */
export interface OverrideStore {
  overrides(): Promise<readonly LimitOverride[]>;
  setOverride(override: LimitOverride, now: Date): Promise<void>;
  removeOverride(backend: string, now: Date): Promise<void>;
}

export interface LimitBookOptions {
  readonly backends: readonly { readonly name: string; readonly limits: BackendLimits }[];
  readonly store: OverrideStore;
  readonly now: () => Date;
}

const dimensions = ["upload", "download", "requests"] as const;
type Dimension = (typeof dimensions)[number];

/**
 * The limits of all backends as they count now, and who has which share of them: the
 * controller's side. What a person sets while it runs is stored and survives restarts; shares
 * are in memory, since the nodes ask again within a second.
 */
export class LimitBook {
  readonly #options: LimitBookOptions;
  readonly #shares = new Map<string, ShareTable>();
  readonly #overrides = new Map<string, LimitOverride>();
  /** When a backend may be called again, in milliseconds since the epoch. */
  readonly #heldUntil = new Map<string, number>();
  readonly #listeners = new Set<(backend: string, ms: number) => void>();

  constructor(options: LimitBookOptions) {
    this.#options = options;
  }

  /** Reads what was set while running, before a restart perhaps. */
  async load(): Promise<void> {
    this.#overrides.clear();
    for (const override of await this.#options.store.overrides()) {
      this.#overrides.set(override.backend, override);
    }
  }

  list(): readonly EffectiveLimits[] {
    return this.#options.backends.map(({ name }) => this.of(name));
  }

  /** Throws NOT_FOUND. */
  of(backend: string): EffectiveLimits {
    const limits = this.#limitsOf(backend);
    const now = this.#options.now();
    const override = this.#overrideOf(backend);
    const clock = this.#clock(limits, now);
    const { upload, download } = clock?.slot.bandwidth ?? {};
    const heldUntil = this.#heldUntil.get(backend) ?? 0;
    const timed = (limits.bandwidth?.slots.length ?? 0) > 1;
    return {
      backend,
      concurrency: limits.concurrency,
      perNode: limits.perNode,
      rate: formatRequestRate(limits.requestsPerSecond),
      bandwidth: formatBandwidth({ upload, download }),
      ...(upload === undefined ? {} : { uploadBytesPerSecond: upload }),
      ...(download === undefined ? {} : { downloadBytesPerSecond: download }),
      ...(timed ? { timetable: limits.bandwidth?.text ?? "", entry: clock?.slot.text ?? "" } : {}),
      ...nextChange(clock),
      ...(override === undefined ? {} : { override }),
      ...(heldUntil > now.getTime() ? { heldUntil: new Date(heldUntil).toISOString() } : {}),
      nodes: this.#nodes(backend, now.getTime()),
    };
  }

  /** Counts until it is taken back; what is not mentioned stays as it was set before. */
  async set(override: LimitOverride): Promise<EffectiveLimits> {
    const { backend, rate, bandwidth, until } = override;
    this.#configured(backend);
    if (rate !== undefined) parseRequestRate(rate);
    if (bandwidth !== undefined) parseBandwidth(bandwidth);
    const now = this.#options.now();
    if (until !== undefined && until <= now.toISOString()) {
      throw new EngineError("USAGE", `${until} is not in the future`);
    }
    const merged = { ...this.#overrideOf(backend), ...override };
    await this.#options.store.setOverride(merged, now);
    this.#overrides.set(backend, merged);
    return this.of(backend);
  }

  /** From now on the configuration counts again. */
  async reset(backend: string): Promise<EffectiveLimits> {
    this.#configured(backend);
    await this.#options.store.removeOverride(backend, this.#options.now());
    this.#overrides.delete(backend);
    return this.of(backend);
  }

  /** The shares of one node from now on. */
  share(request: ShareRequest): readonly BackendShare[] {
    const known = new Set(this.#options.backends.map(({ name }) => name));
    return request.backends
      .filter((use) => known.has(use.backend))
      .map((use) => this.#share(request.node, use));
  }

  /** Calls back when a backend asked everybody to wait. */
  onHold(listener: (backend: string, ms: number) => void): void {
    this.#listeners.add(listener);
  }

  /** When a backend that asked to slow down may be called again. */
  heldUntil(backend: string | null, now: Date): Date | undefined {
    const until = this.#heldUntil.get(backend ?? "") ?? 0;
    return until > now.getTime() ? new Date(until) : undefined;
  }

  /** Batches of each backend that may be worked on at the same time. */
  concurrency(): ReadonlyMap<string, number> {
    return new Map(
      this.#options.backends.map(({ name }) => [name, this.#limitsOf(name).concurrency]),
    );
  }

  /** Why the lane of a backend goes no faster, when bytes or requests are what it waits for. */
  laneWait(backend: string): Wait | undefined {
    if (!this.#options.backends.some(({ name }) => name === backend)) return undefined;
    const nowMs = this.#options.now().getTime();
    const hungry = (dimension: Dimension) =>
      this.#shares.get(`${backend}/${dimension}`)?.hungry(nowMs) ?? false;
    if (!dimensions.some(hungry)) return undefined;
    const { rate, bandwidth, nextChange: next } = this.of(backend);
    const remedy = `thermocline limits set ${backend}`;
    if (hungry("requests")) {
      const message = `${backend} takes ${rate} requests`;
      return { reason: "rate", message, remedy: `${remedy} --rate …` };
    }
    return {
      reason: "bandwidth",
      message: `${backend} is limited to ${bandwidth} bytes per second`,
      remedy: `${remedy} --bandwidth …`,
      ...(next === undefined ? {} : { until: next.at }),
    };
  }

  #share(node: string, use: BackendUse): BackendShare {
    const { backend, holdMs } = use;
    const now = this.#options.now();
    if (holdMs !== undefined) this.#hold(backend, holdMs, now);
    const limits = this.#limitsOf(backend);
    const held = this.heldUntil(backend, now);
    const { upload, download } = this.#clock(limits, now)?.slot.bandwidth ?? {};
    const most = { upload, download, requests: limits.requestsPerSecond };
    const parts = dimensions.flatMap((dimension) => {
      if (!use.active) return [];
      const part = this.#table(backend, dimension).grant(
        askOf(node, use[dimension]),
        most[dimension],
        now.getTime(),
      );
      return part === undefined ? [] : [[dimension, part] as const];
    });
    return {
      backend,
      perNode: limits.perNode,
      ...Object.fromEntries(parts),
      ...(held === undefined ? {} : { holdMs: held.getTime() - now.getTime() }),
    };
  }

  #hold(backend: string, ms: number, now: Date): void {
    const until = now.getTime() + ms;
    if (until <= (this.#heldUntil.get(backend) ?? 0)) return;
    this.#heldUntil.set(backend, until);
    for (const listener of this.#listeners) listener(backend, ms);
  }

  #limitsOf(backend: string): BackendLimits {
    const configured = this.#configured(backend);
    const override = this.#overrideOf(backend);
    if (override === undefined) return configured;
    const { concurrency, perNode, rate, bandwidth } = override;
    return {
      concurrency: concurrency ?? configured.concurrency,
      perNode: perNode ?? configured.perNode,
      requestsPerSecond: rate === undefined ? configured.requestsPerSecond : parseRequestRate(rate),
      bandwidth: bandwidth === undefined ? configured.bandwidth : parseBandwidth(bandwidth),
      timeZone: configured.timeZone,
    };
  }

  #configured(backend: string): BackendLimits {
    const { backends } = this.#options;
    const found = backends.find(({ name }) => name === backend);
    if (found !== undefined) return found.limits;
    throw unknownBackend(
      backend,
      backends.map(({ name }) => name),
    );
  }

  #overrideOf(backend: string): LimitOverride | undefined {
    const override = this.#overrides.get(backend);
    const ended = (override?.until ?? "9") <= this.#options.now().toISOString();
    return ended ? undefined : override;
  }

  #clock(limits: BackendLimits, now: Date): BandwidthNow | undefined {
    const { bandwidth, timeZone } = limits;
    return bandwidth === undefined ? undefined : bandwidthAt(bandwidth, now, timeZone);
  }

  #table(backend: string, dimension: Dimension): ShareTable {
    const key = `${backend}/${dimension}`;
    const table = this.#shares.get(key) ?? new ShareTable();
    this.#shares.set(key, table);
    return table;
  }

  #nodes(backend: string, nowMs: number): readonly string[] {
    const names = dimensions.flatMap(
      (dimension) => this.#shares.get(`${backend}/${dimension}`)?.nodes(nowMs) ?? [],
    );
    return [...new Set(names)].toSorted();
  }
}

function askOf(node: string, use: LimitUse) {
  return { node, wanted: use.wanted ?? Infinity, holding: use.holding };
}

function nextChange(clock: BandwidthNow | undefined): Pick<EffectiveLimits, "nextChange"> {
  const next = clock?.next;
  if (next === undefined) return {};
  const bandwidth = formatBandwidth(next.slot.bandwidth);
  return { nextChange: { at: next.at.toISOString(), bandwidth } };
}
