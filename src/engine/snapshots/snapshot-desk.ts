import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import type { BackendPool } from "#engine/backend-pool.ts";
import { indexOptions } from "#engine/open-index.ts";
import { collectGarbage } from "#engine/snapshots/collect-garbage.ts";
import { collectRemote } from "#engine/snapshots/collect-remote.ts";
import { damagedOnly } from "#engine/snapshots/damaged-only.ts";
import { diffSnapshots } from "#engine/snapshots/diff-snapshots.ts";
import { exportCar } from "#engine/snapshots/export-car.ts";
import { newestFirst } from "#engine/snapshots/newest-first.ts";
import { OpenedSnapshots } from "#engine/snapshots/opened-snapshots.ts";
import type { OpenedSnapshot } from "#engine/snapshots/opened-snapshots.ts";
import { PassingSnapshots } from "#engine/snapshots/passing-snapshots.ts";
import { pullSnapshot } from "#engine/snapshots/pull-snapshot.ts";
import { pushSnapshot } from "#engine/snapshots/push-snapshot.ts";
import { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot, type TakeOptions } from "#engine/snapshots/take-snapshot.ts";
import { summarise } from "#engine/snapshots/summarise.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { SnapshotApi } from "#model/snapshot-api.ts";
import type {
  SnapshotList,
  SnapshotPullRequest,
  SnapshotReference,
  SnapshotReport,
  SnapshotSummary,
  SnapshotTransfer,
} from "#model/index-snapshot.ts";
import { requireNamedFiles } from "#model/require-named-files.ts";

export interface SnapshotDeskOptions {
  readonly config: Config;
  readonly pool: BackendPool;
  /** Whose index this is; undefined where there is none. */
  readonly installation: () => Promise<string | undefined>;
  readonly now?: () => Date;
}

/** Everything about snapshots that needs no index: they are listed, moved and opened. */
export class SnapshotDesk {
  readonly store: SnapshotStore;
  readonly #options: SnapshotDeskOptions;
  readonly #opened: OpenedSnapshots;
  readonly #now: () => Date;
  readonly #stop = new AbortController();
  /** When the newest one was taken that is here, and on backends, as far as this process knows. */
  readonly newest = new Map<string, Date>();
  /** Up to when all that the ledger had recorded is beside them, at the same places. */
  readonly tailed = new Map<string, Date>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SnapshotDeskOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.store = new SnapshotStore(
      dataPaths(options.config.dataDirectory).snapshots,
      options.installation,
      this.#now,
    );
    this.#opened = new OpenedSnapshots(this.store, indexOptions(options.config));
  }

  /** Runs what reads or writes parts by itself: what one is writing, no other clears away. */
  async inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const next = this.#turn.then(work);
    this.#turn = next.catch(() => undefined);
    return await next;
  }

  /** The part of the engine's API that the desk answers. */
  get methods(): SnapshotApi {
    const { config, installation } = this.#options;
    return {
      snapshots: async ({ on } = {}) => {
        if (on !== undefined) return await listRemote(await this.remote(on), this.#now());
        const { snapshots, damaged } = await this.store.list();
        return { snapshots: snapshots.map(summarise), damaged };
      },
      findSnapshot: async (reference) => summarise(await this.store.find(reference)),
      diffSnapshots: (request) =>
        this.inTurn(() => diffSnapshots(this.store, request, indexOptions(config))),
      collectSnapshots: ({ on, ...request }) =>
        this.inTurn(async () => {
          if (on === undefined) return await collectGarbage(this.store, request);
          const whose = { installation: await installation() };
          return await collectRemote(await this.remote(on), { ...request, ...whose });
        }),
      pushSnapshot: ({ to, ...request }) =>
        this.inTurn(async () => {
          const pushed = await pushSnapshot(this.store, await this.remote(to), request);
          this.#note(to, pushed);
          return pushed;
        }),
      pullSnapshot: (request) => this.inTurn(() => this.#pull(request)),
      exportSnapshot: (request) => this.inTurn(() => exportCar(this.store, request)),
    };
  }

  /** A snapshot that is here, to be asked; to be disposed of. */
  async open(
    reference: SnapshotReference,
  ): Promise<{ readonly opened: OpenedSnapshot; readonly summary: SnapshotSummary }> {
    return await this.inTurn(async () => {
      const snapshot = await this.store.find(reference);
      return { opened: await this.#opened.open(snapshot), summary: summarise(snapshot) };
    });
  }

  /** Cuts off what travels, and resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#turn;
  }

  async #pull({ from, ...request }: SnapshotPullRequest): Promise<SnapshotTransfer> {
    const here = new Set((await this.store.list()).snapshots.map(({ cid }) => cid));
    const whose = { installation: await this.#options.installation() };
    const remote = await this.remote(from);
    const pulled = await pullSnapshot(this.store, remote, { ...request, ...whose });
    const marks = new PassingSnapshots(this.store);
    if (request.passing === true) {
      await marks.mark(pulled.cid, !here.has(pulled.cid));
      await marks.trim(new Date());
    } else await marks.keep(pulled.cid);
    return pulled;
  }

  /** Takes a snapshot of the index. */
  async take(index: ObjectIndex, options: TakeOptions): Promise<SnapshotReport> {
    return await this.inTurn(async () => {
      const taken = await takeSnapshot(index, this.store, options);
      this.#note("here", taken);
      return taken;
    });
  }

  /** An older one that is pushed later changes nothing; one by a clock that was ahead gives way. */
  #note(place: string, { takenAt }: SnapshotSummary): void {
    const known = this.newest.get(place);
    const taken = new Date(takenAt);
    if (known === undefined || known < taken || known > this.#now()) this.newest.set(place, taken);
  }

  /** What a backend keeps of snapshots; the signal cuts off what is asked of it. */
  async remote(backend: string, signal = this.#stop.signal): Promise<RemoteSnapshots> {
    const driver = await this.#options.pool.driver(backend);
    return new RemoteSnapshots(backend, requireNamedFiles(driver, backend), {
      signal,
      now: this.#now,
    });
  }

  /** Whose index this is; undefined where there is none. */
  async ownInstallation(): Promise<string | undefined> {
    return await this.#options.installation();
  }
}

async function listRemote(remote: RemoteSnapshots, now: Date): Promise<SnapshotList> {
  const snapshots: SnapshotSummary[] = [];
  const damaged: string[] = [];
  for (const listed of await remote.list()) {
    const found = await remote.manifest(listed).catch(damagedOnly);
    if (found === undefined) damaged.push(listed.cid);
    else snapshots.push(summarise(found));
  }
  const ordered = newestFirst(snapshots, now, (one) => ({ ...one, parent: one.parent }));
  return { snapshots: ordered, damaged };
}
