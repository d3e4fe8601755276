import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiClient } from "#api/client.ts";
import { findController } from "#api/find-controller.ts";
import { type AuditReport, rehashStores } from "../../scripts/rehash-stores.ts";
import { queuePrefix } from "../conformance/queue-servers.ts";
import {
  type CommandOutput,
  runCommand,
  startNode,
  startNodeAs,
  stopNode,
} from "../../scripts/thermocline-process.ts";

/** A workspace on disk and the real program in it, as a person at a shell would use them. */
export class Workspace {
  readonly path: string;
  readonly log: string;
  readonly #nodes = new Set<ChildProcess>();

  private constructor(path: string) {
    this.path = path;
    this.log = join(path, "nodes.log");
  }

  /** Three local backends (hot, warm, cold) in three regions and the given policies. */
  static async create(options: {
    readonly policies: Readonly<Record<string, string>>;
    readonly queueUrl?: string;
  }): Promise<Workspace> {
    const path = await mkdtemp(join(tmpdir(), "thermocline-test-"));
    // The embedded PostgreSQL runs as a user of its own when we are root.
    await chmod(path, 0o755);
    const queue = await queueEntry(path, options.queueUrl);
    await writeFile(
      join(path, "thermocline.yaml"),
      `apiVersion: thermocline/v1\n${queue}backends:\n` +
        ["hot", "warm", "cold"].map(backendEntry).join(""),
    );
    await mkdir(join(path, "policies"));
    for (const [name, text] of Object.entries(options.policies)) {
      await writeFile(join(path, "policies", `${name}.thermocline.yaml`), text);
    }
    return new Workspace(path);
  }

  /** A workspace that something else made. */
  static at(path: string): Workspace {
    return new Workspace(path);
  }

  /** Adds settings to the configuration; nodes that run already keep theirs. */
  async addConfig(text: string): Promise<void> {
    await appendFile(join(this.path, "thermocline.yaml"), text);
  }

  storage(backend: string): string {
    return join(this.path, "storage", backend);
  }

  /** Runs one command to its end. */
  run(...args: string[]): Promise<CommandOutput> {
    return runCommand(this.path, args, { CI: "true", NO_COLOR: "1" });
  }

  /** Runs one command that must succeed; its standard output. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code === 0) return stdout;
    const log = await readFile(this.log, "utf8").catch(() => "");
    throw new Error(
      `thermocline ${args.join(" ")} ended with ${code}\n${stdout}\n${stderr}\n${log.slice(-4_000)}`,
    );
  }

  async json<Value>(...args: string[]): Promise<Value> {
    return JSON.parse(await this.ok(...args, "-o", "json")) as Value;
  }

  /** A folder of so many files of random bytes. */
  async writeFiles(count: number, bytes: number): Promise<string> {
    const folder = join(this.path, "content");
    await mkdir(folder);
    for (let at = 0; at < count; at += 1) {
      await writeFile(join(folder, `${at}.bin`), randomBytes(bytes));
    }
    return folder;
  }

  /** A client of the controller that serves the workspace. */
  async api(): Promise<ApiClient> {
    const found = await findController(join(this.path, ".thermocline", "controller.json"));
    if (found === undefined) throw new Error("no controller");
    return found;
  }

  /** Starts a node that runs until it is killed or the workspace is disposed of. */
  start(...args: string[]): ChildProcess {
    return this.#stopLater(startNode(this.path, this.log, ...args));
  }

  /** The same as another user, which only root may do. */
  startAs(user: number, ...args: string[]): ChildProcess {
    return this.#stopLater(startNodeAs(user, this.path, this.log, ...args));
  }

  #stopLater(node: ChildProcess): ChildProcess {
    this.#nodes.add(node);
    node.once("exit", () => this.#nodes.delete(node));
    return node;
  }

  /** Starts a controller and waits until it answers. */
  async startController(): Promise<ChildProcess> {
    const node = this.start("controller");
    await this.controllerAnswers(node);
    return node;
  }

  /** Waits until a controller that was started serves the workspace. */
  async controllerAnswers(node: ChildProcess): Promise<void> {
    // One that was killed leaves work to the next: recovery of PostgreSQL, leases that run out.
    const deadline = Date.now() + 150_000;
    while (Date.now() < deadline && node.exitCode === null && node.signalCode === null) {
      const state = await readFile(
        join(this.path, ".thermocline", "controller.json"),
        "utf8",
      ).catch(() => "{}");
      if ((JSON.parse(state) as { pid?: number }).pid === node.pid) return;
      await delay(100);
    }
    const how = node.exitCode ?? node.signalCode ?? "it runs";
    throw new Error(`no controller (${how}): ${(await readFile(this.log, "utf8")).slice(-4_000)}`);
  }

  /** Re-hashes every stored file with an independent program against what the index promises. */
  async audit(): Promise<AuditReport> {
    const { objects } = await this.json<{ objects: { cid: string; backends: string[] }[] }>(
      "objects",
      "ls",
      "--limit",
      "1000000",
    );
    const folders = ["hot", "warm", "cold"].map((backend) => this.storage(backend));
    return rehashStores(folders, objects);
  }

  /** Stops what still runs (gently, then for good) and removes everything. */
  async dispose(): Promise<void> {
    for (const node of this.#nodes) await stopNode(node, 15_000);
    await rm(this.path, { recursive: true, force: true });
  }
}

/** The address of PostgreSQL holds a password: a configuration only refers to it. */
async function queueEntry(path: string, url: string | undefined): Promise<string> {
  if (url === undefined) return "";
  const file = join(path, "queue-url");
  await writeFile(file, url);
  return `queue: {url: "file:${file}", prefix: ${queuePrefix()}}\n`;
}

function backendEntry(name: string, position: number): string {
  const facts = `name: ${name}, driver: local, tier: ${name}, region: eu-${position + 1}`;
  return `  - {${facts}, options: {path: ./storage/${name}}}\n`;
}
