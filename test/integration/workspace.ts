import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../src/cli/thermocline.ts", import.meta.url));
const audit = fileURLToPath(new URL("../audit/rehash.py", import.meta.url));

export interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

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
    const queue = options.queueUrl === undefined ? "" : `queue: {url: "${options.queueUrl}"}\n`;
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

  storage(backend: string): string {
    return join(this.path, "storage", backend);
  }

  /** Runs one command to its end. */
  async run(...args: string[]): Promise<Output> {
    const child = spawn(process.execPath, [entry, ...args], {
      cwd: this.path,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, CI: "true", NO_COLOR: "1" },
    });
    const pieces: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
    child.stdout.on("data", (piece: Buffer) => pieces.stdout.push(piece));
    child.stderr.on("data", (piece: Buffer) => pieces.stderr.push(piece));
    const [code] = (await once(child, "close")) as [number | null];
    const text = (name: "stdout" | "stderr") => Buffer.concat(pieces[name]).toString("utf8");
    return { code, stdout: text("stdout"), stderr: text("stderr") };
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

  /** Starts a node that runs until it is killed or the workspace is disposed of. */
  start(...args: string[]): ChildProcess {
    const file = openSync(this.log, "a");
    const node = spawn(process.execPath, [entry, ...args], {
      cwd: this.path,
      stdio: ["ignore", file, file],
    });
    closeSync(file);
    this.#nodes.add(node);
    node.once("exit", () => this.#nodes.delete(node));
    return node;
  }

  /** Starts a controller and waits until it answers. */
  async startController(): Promise<ChildProcess> {
    const node = this.start("controller");
    const deadline = Date.now() + 30_000;
    while (Date.now() < deadline && node.exitCode === null) {
      const state = await readFile(
        join(this.path, ".thermocline", "controller.json"),
        "utf8",
      ).catch(() => "{}");
      if ((JSON.parse(state) as { pid?: number }).pid === node.pid) return node;
      await delay(100);
    }
    throw new Error(`no controller: ${(await readFile(this.log, "utf8")).slice(-4_000)}`);
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
    const child = spawn("python3", [audit, ...folders], { stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (piece: Buffer) => out.push(piece));
    child.stderr.on("data", (piece: Buffer) => errors.push(piece));
    child.stdin.end(objects.map((object) => JSON.stringify(object)).join("\n"));
    await once(child, "close");
    const report = JSON.parse(Buffer.concat(out).toString("utf8")) as AuditReport;
    return { ...report, problems: Buffer.concat(errors).toString("utf8") };
  }

  /** Stops what still runs (gently, then for good) and removes everything. */
  async dispose(): Promise<void> {
    for (const node of this.#nodes) {
      const ended = once(node, "exit");
      node.kill("SIGTERM");
      const gentle = await Promise.race([ended.then(() => true), delay(15_000).then(() => false)]);
      if (!gentle) node.kill("SIGKILL");
    }
    await rm(this.path, { recursive: true, force: true });
  }
}

function backendEntry(name: string, position: number): string {
  const facts = `name: ${name}, driver: local, tier: ${name}, region: eu-${position + 1}`;
  return `  - {${facts}, options: {path: ./storage/${name}}}\n`;
}

export interface AuditReport {
  readonly files: number;
  readonly corrupt: number;
  readonly objects: number;
  readonly missing: number;
  readonly objectsByIntactCopies: Readonly<Record<string, number>>;
  readonly problems: string;
}
