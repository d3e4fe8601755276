import type { BackendConfig, Config } from "#config.ts";
import { measuredDriver } from "#engine/metrics/measured-driver.ts";
import { Meter } from "#engine/metrics/meter.ts";
import { limitedDriver } from "#jobs/limits/limited-driver.ts";
import { NodeThrottles } from "#jobs/limits/node-throttles.ts";
import { unlimitedNode } from "#model/backend-limits.ts";
import type { BackendStatus, Driver, DriverDefinition } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

export interface BackendPoolOptions {
  readonly backends: readonly BackendConfig[];
  /** This process: its own bounds count beside those of the backends. */
  readonly node?: Pick<Config["node"], "limits">;
  readonly definitions: ReadonlyMap<string, DriverDefinition>;
  resolveSecret(reference: string): Promise<string>;
}

/** The configured backends, each opened when it is first needed and kept open. */
export class BackendPool {
  readonly #options: BackendPoolOptions;
  /** Counts what is asked of the backends, and whatever else this process measures. */
  readonly meter = new Meter();
  /** Keeps all that this process asks of the backends within its limits. */
  readonly throttles: NodeThrottles;
  readonly #opened = new Map<string, Promise<Driver>>();

  constructor(options: BackendPoolOptions) {
    this.#options = options;
    const { backends, node } = options;
    this.throttles = new NodeThrottles({ backends, node: node?.limits ?? unlimitedNode });
  }

  get names(): readonly string[] {
    return this.#options.backends.map((backend) => backend.name);
  }

  /** The driver of a backend. A failed opening is tried again at the next call. */
  driver(name: string): Promise<Driver> {
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const opening = this.#open(name).catch((error: unknown) => {
      this.#opened.delete(name);
      throw EngineError.from(error, "UNAVAILABLE");
    });
    this.#opened.set(name, opening);
    return opening;
  }

  /** Every backend that can be opened here; the others with what stands in the way. */
  async openAll(): Promise<{
    readonly drivers: ReadonlyMap<string, Driver>;
    readonly failures: ReadonlyMap<string, EngineError>;
  }> {
    const drivers = new Map<string, Driver>();
    const failures = new Map<string, EngineError>();
    for (const name of this.names) {
      try {
        drivers.set(name, await this.driver(name));
      } catch (error) {
        failures.set(name, EngineError.from(error, "UNAVAILABLE"));
      }
    }
    return { drivers, failures };
  }

  /** What a backend says of itself, or in words why it does not answer. */
  async status(name: string): Promise<BackendStatus | string> {
    try {
      return await (await this.driver(name)).status();
    } catch (error) {
      return EngineError.from(error).message;
    }
  }

  async close(): Promise<void> {
    this.throttles.close();
    const opened = await Promise.allSettled(this.#opened.values());
    this.#opened.clear();
    for (const result of opened) {
      if (result.status === "fulfilled") await result.value.close();
    }
  }

  async #open(name: string): Promise<Driver> {
    const backend = this.#options.backends.find((candidate) => candidate.name === name);
    if (backend === undefined) {
      throw new EngineError("NOT_FOUND", `there is no backend "${name}"`, {
        hint: `the configuration has ${this.names.join(", ") || "none"}`,
      });
    }
    const definition = this.#options.definitions.get(backend.driver);
    if (definition === undefined) {
      throw new EngineError("NOT_SUPPORTED", `there is no driver "${backend.driver}"`);
    }
    const driver = await definition.open({
      backend: name,
      options: backend.options,
      capacityBytes: backend.capacityBytes,
      secret: (reference) => this.#options.resolveSecret(reference),
    });
    const measured = measuredDriver(driver, name, this.meter);
    const throttle = this.throttles.of(name);
    return throttle === undefined ? measured : limitedDriver(measured, throttle);
  }
}
