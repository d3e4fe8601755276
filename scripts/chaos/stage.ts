import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiClient } from "#api/client.ts";
import { findController } from "#api/find-controller.ts";
import { dataPaths } from "#config/data-paths.ts";
import { EngineError } from "#model/engine-error.ts";
import { objectFile } from "#drivers/local/object-file.ts";
import { type CommandOutput, runCommand, startNodeWith } from "../thermocline-process.ts";
import { bucketAccess, type BucketPlace, bucketPlace } from "./bucket-place.ts";
import { embeddedPlace } from "./embedded-place.ts";
import { FaultLog } from "./fault-log.ts";
import { ImportBook } from "./import-book.ts";
import { postgresPlace } from "./postgres-place.ts";
import type { QueueKind, QueuePlace } from "./queue-place.ts";
import { redisPlace } from "./redis-place.ts";
import type { ServerPlace } from "./server-place.ts";
import {
  bucketBackend,
  folderBackends,
  smallDiskBytes,
  stageConfig,
  stagePolicies,
} from "./stage-files.ts";
import {
  mountSmallDisk,
  ownWorkspace,
  unmountLeftDisks,
  unmountSmallDisk,
  workspacePrefix,
} from "./small-disk.ts";
import { SupervisedNode } from "./supervised-node.ts";

const controllerNames = ["controller-1", "controller-2"] as const;
const workerNames = ["worker-1", "worker-2"] as const;
const startTimeoutMs = 60_000;
const stopPatienceMs = 30_000;

/** Whether everything stays as it is, to be looked at. */
interface Keeping {
  isKept: boolean;
}

/** A workspace with a queue store, a controller and its standby, and workers: what chaos is let loose on. */
export class Stage {
  readonly path: string;
  readonly faults: FaultLog;
  readonly queue: QueuePlace;
  /** The S3 server, where one is installed. */
  readonly bucket: BucketPlace | undefined;
  readonly backends: readonly string[];
  readonly nodes: readonly SupervisedNode[];
  /** Objects that chaos holds while it damages them. */
  readonly held = new Set<string>();
  /** What must not happen and did, in words. */
  readonly troubles: string[] = [];
  /** What the engine has confirmed to have taken over. */
  readonly imports = new ImportBook();
  /** Whether the disk below `small` is a file system of its own that can be filled. */
  readonly hasSmallDisk: boolean;
  readonly #environment: Readonly<Record<string, string>>;
  #isClosed = false;
  readonly #keeping: Keeping;

  private constructor(
    path: string,
    queue: QueuePlace,
    bucket: BucketPlace | undefined,
    { hasSmallDisk, keeping }: { readonly hasSmallDisk: boolean; readonly keeping: Keeping },
  ) {
    this.path = path;
    this.faults = new FaultLog(join(path, "faults.ndjson"));
    this.queue = queue;
    this.bucket = bucket;
    const places = [...folderBackends, ...(bucket === undefined ? [] : [bucketBackend])];
    this.backends = places.map(({ name }) => name);
    this.hasSmallDisk = hasSmallDisk;
    this.#keeping = keeping;
    this.#environment = {
      CHAOS_BUCKET_SECRET: bucketAccess.secretAccessKey,
      ...(queue.url === undefined ? {} : { CHAOS_QUEUE_URL: queue.url }),
    };
    this.nodes = [
      ...controllerNames.map((name) => this.#node(name, "controller")),
      ...workerNames.map((name) => this.#node(name, "worker")),
    ];
  }

  /** Writes the files, starts the queue store and the nodes, and waits for the controller. */
  static async open(kind: QueueKind): Promise<Stage> {
    await unmountLeftDisks();
    const path = await mkdtemp(join(tmpdir(), workspacePrefix));
    await ownWorkspace(path);
    // PostgreSQL runs as a user of its own when we are root.
    await chmod(path, 0o755);
    const small = join(path, "storage", "small");
    await mkdir(small, { recursive: true });
    const hasSmallDisk = mountSmallDisk(small, smallDiskBytes);
    const keeping = { isKept: false };
    process.once("exit", () => {
      if (hasSmallDisk && !keeping.isKept) unmountSmallDisk(small);
    });
    const queue = await openQueue(kind, path);
    const bucket = await bucketPlace(path, bucketBackend.name);
    const stage = new Stage(path, queue, bucket, { hasSmallDisk, keeping });
    try {
      await mkdir(join(path, "policies"));
      for (const [name, text] of Object.entries(stagePolicies)) {
        await writeFile(join(path, "policies", `${name}.thermocline.yaml`), text);
      }
      await writeFile(
        join(path, "thermocline.yaml"),
        stageConfig(queue.url !== undefined, bucket?.endpoint),
      );
      for (const server of stage.servers) await server.start();
      for (const node of stage.nodes) node.start();
      process.once("exit", () => stage.#abandon());
      await stage.ready(startTimeoutMs);
    } catch (error) {
      await stage.close(true);
      throw error;
    }
    return stage;
  }

  /** The servers that the nodes talk to. */
  get servers(): readonly ServerPlace[] {
    return this.bucket === undefined ? [this.queue] : [this.queue, this.bucket];
  }

  /** The folder in which a backend, or the server behind it, keeps its files. */
  storage(backend: string): string {
    if (backend === bucketBackend.name && this.bucket !== undefined) return this.bucket.folder;
    return join(this.path, "storage", backend);
  }

  /** The file in which a backend keeps its copy of an object. */
  copyFile(backend: string, cid: string): string {
    if (backend === bucketBackend.name) return join(this.storage(backend), cid);
    return join(this.storage(backend), "objects", objectFile(cid, "file").shard, cid);
  }

  node(name: string): SupervisedNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  /** A client of the controller; UNAVAILABLE while there is none. */
  async api(): Promise<ApiClient> {
    const state = dataPaths(join(this.path, ".thermocline")).controllerState;
    const client = await findController(state);
    if (client === undefined) throw new EngineError("UNAVAILABLE", "no controller answers");
    return client;
  }

  /** Waits until the controller answers. */
  async ready(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const failure = await this.api().then(
        () => undefined,
        (error: unknown) => EngineError.from(error),
      );
      if (failure === undefined) return;
      if (Date.now() > deadline) throw failure;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** A command as a person types it. */
  command(...args: string[]): Promise<CommandOutput> {
    return runCommand(this.path, args, { ...this.#environment, CI: "true", NO_COLOR: "1" });
  }

  /** Ends every node; those that do not end when asked are a trouble. */
  async dismissNodes(): Promise<void> {
    for (const node of this.nodes.toReversed()) {
      const isGentle = await node.dismiss(stopPatienceMs);
      if (!isGentle) this.troubles.push(`${node.name} did not stop within ${stopPatienceMs} ms`);
    }
  }

  /** How often a controller took over, the first start included. */
  async terms(): Promise<number> {
    let terms = 0;
    for (const name of controllerNames) {
      const log = await readFile(this.node(name).log, "utf8").catch(() => "");
      terms += log.split(`node ${name} runs as controller`).length - 1;
    }
    return terms;
  }

  async close(keep: boolean): Promise<void> {
    this.#isClosed = true;
    for (const node of this.nodes) await node.dismiss(stopPatienceMs);
    for (const server of this.servers) await server.close();
    this.#keeping.isKept = keep;
    if (keep) return;
    if (this.hasSmallDisk) unmountSmallDisk(this.storage("small"));
    await rm(this.path, { recursive: true, force: true });
  }

  /** When this process ends by surprise, nothing it started goes on. */
  #abandon(): void {
    if (this.#isClosed) return;
    for (const node of this.nodes) node.abandon();
    for (const server of this.servers) server.abandon();
  }

  #node(name: string, role: string): SupervisedNode {
    const log = join(this.path, `${name}.log`);
    const spawn = () => startNodeWith(this.#environment, this.path, log, role, "--node-name", name);
    return new SupervisedNode(name, log, spawn, (how) => this.troubles.push(how));
  }
}

async function openQueue(kind: QueueKind, path: string): Promise<QueuePlace> {
  if (kind === "redis") return redisPlace(path);
  if (kind === "postgres") return postgresPlace(path);
  return embeddedPlace(dataPaths(join(path, ".thermocline")).queue);
}
