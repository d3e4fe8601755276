import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "#config.ts";
import { type Engine, openEngine } from "#engine.ts";
import type { Driver, DriverDefinition } from "#model/driver.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { Role } from "#model/node.ts";
import type { Run } from "#model/run.ts";
import { loadDrivers } from "#registry.ts";
import { queuePrefix } from "../conformance/queue-servers.ts";

/** An engine in this process, in a folder of its own; disposed of with `await using`. */
export interface RunningEngine extends AsyncDisposable {
  readonly folder: string;
  readonly engine: Engine;
  readonly errors: readonly EngineError[];
  /** Makes files and imports them into the backend `hot`. */
  importFiles(count: number): Promise<void>;
  /** Applies the policies and waits until the run has ended. */
  applyToEnd(): Promise<Run>;
  /** Opens the same folder again, after the engine was closed. */
  reopen(): Promise<Engine>;
}

export interface RunningEngineOptions {
  readonly queueUrl: string;
  readonly policy: string;
  /** Engines that share one are, to the queue server, the same installation. */
  readonly queuePrefix?: string;
  /** Of `hot`; without a bound unless said. */
  readonly capacity?: string;
  /** More of the configuration, as YAML; and what its references stand for. */
  readonly more?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What its process does; controller and worker unless said. */
  readonly roles?: readonly Role[];
  /** Share of objects that a plan may move or remove. */
  readonly maxObjects?: string;
  /** The clock of the engine; that of the process unless it is given. */
  readonly now?: () => Date;
  /** Puts another driver in the place of one that was just opened. */
  driver?(driver: Driver, backend: string): Driver;
  /** Prepares the folder before the engine opens the backends in it. */
  prepare?(folder: string): Promise<void>;
}

/** Backends hot, warm and cold, one policy, and queues on the given server. */
export async function runEngine(options: RunningEngineOptions): Promise<RunningEngine> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-engine-"));
  await mkdir(join(folder, "policies"));
  await writeFile(join(folder, "policies", "test.thermocline.yaml"), options.policy);
  await writeFile(join(folder, "thermocline.yaml"), configuration(options));
  await options.prepare?.(folder);
  const definitions = new Map(
    [...(await loadDrivers())].map(([name, definition]) => [name, replaced(definition, options)]),
  );
  const config = await loadConfig({
    cwd: folder,
    env: {},
    hostname: "test-node",
    drivers: definitions,
  });
  const errors: EngineError[] = [];
  const open = () =>
    openEngine({
      config,
      definitions,
      env: { ...options.env, TEST_QUEUE_URL: options.queueUrl },
      version: "0.0.0-test",
      onError: (error) => errors.push(error),
      ...(options.now === undefined ? {} : { now: options.now }),
      ...(options.roles === undefined ? {} : { roles: options.roles }),
    });
  const engine = await open();
  return {
    folder,
    engine,
    errors,
    reopen: open,
    importFiles: async (count) => {
      const path = join(folder, "source");
      await mkdir(path);
      for (let file = 0; file < count; file += 1) {
        await writeFile(join(path, `${file}.txt`), `content ${file}`);
      }
      await Array.fromAsync(engine.importDirectory({ path, backend: "hot" }));
    },
    applyToEnd: async () => {
      let run = await engine.apply({ override: ["objects"] });
      while (run.endedAt === undefined) {
        await sleep(50);
        run = await engine.run(run.id);
      }
      return run;
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(options: RunningEngineOptions): string {
  const { capacity, maxObjects } = options;
  const safety = maxObjects === undefined ? "" : `safety: {maxObjects: ${maxObjects}}\n`;
  const backends = ["hot", "warm", "cold"].map((name) => {
    const bound = name === "hot" && capacity !== undefined ? `, capacity: ${capacity}` : "";
    return `  - {name: ${name}, driver: local, tier: ${name}${bound}, options: {path: ./${name}}}\n`;
  });
  return `apiVersion: thermocline/v1
queue: {url: "env:TEST_QUEUE_URL", prefix: ${options.queuePrefix ?? queuePrefix()}}
${safety}${options.more === undefined ? "" : `${options.more}\n`}backends:
${backends.join("")}`;
}

function replaced(definition: DriverDefinition, options: RunningEngineOptions): DriverDefinition {
  const open: DriverDefinition["open"] = async (context) => {
    const driver = await definition.open(context);
    return options.driver?.(driver, context.backend) ?? driver;
  };
  return { ...definition, open };
}
