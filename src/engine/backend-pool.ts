import type { BackendConfig, Config } from "#config.ts";
import { measuredDriver } from "#engine/metrics/measured-driver.ts";
import { Meter } from "#engine/metrics/meter.ts";
import { limitedDriver } from "#jobs/limits/limited-driver.ts";
import { NodeThrottles } from "#jobs/limits/node-throttles.ts";
import { unlimitedNode } from "#model/backend-limits.ts";
import type { BackendStatus, Driver, DriverDefinition } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { unknownBackend } from "#model/unknown-backend.ts";

export interface BackendPoolOptions {
  readonly backends: readonly BackendConfig[];
  /** This process: its own bounds count beside those of the backends. */
  readonly node?: Pick<Config["node"], "limits">;
  readonly definitions: ReadonlyMap<string, DriverDefinition>;
  resolveSecret(reference: string): Promise<string>;
}

/** So long after a backend could not be opened it is tried again. */
const retryMs = 10_000;

/** The configured backends, each opened when it is first needed and kept open. */
export class BackendPool {
  readonly #options: BackendPoolOptions;
  /** Counts what is asked of the backends, and whatever else this process measures. */
  readonly meter = new Meter();
  /** Keeps all that this process asks of the backends within its limits. */
  readonly throttles: NodeThrottles;
  #nextTry: NodeJS.Timeout | undefined;
  #closed = false;
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
    readonly drivers: Map<string, Driver>;
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

  /**
   * Goes on trying to open those that could not be opened, for as long as the pool is open: a
   * disk may be mounted later. What is opened is added to `drivers` and told.
   */
  keepOpening(options: {
    readonly drivers: Map<string, Driver>;
    readonly failures: ReadonlyMap<string, EngineError>;
    readonly onOpened: (name: string) => Promise<void>;
    readonly onError: (error: EngineError) => void;
  }): void {
    const { drivers, failures, onOpened, onError } = options;
    const told = new Map([...failures].map(([name, { message }]) => [name, message]));
    const missing = () => this.names.filter((name) => !drivers.has(name));
    const tryOne = async (name: string): Promise<void> => {
      try {
        drivers.set(name, await this.driver(name));
        await onOpened(name);
      } catch (thrown) {
        drivers.delete(name);
        const error = EngineError.from(thrown, "UNAVAILABLE");
        // The same again and again is no news.
        if (told.get(name) !== error.message) onError(error);
        told.set(name, error.message);
      }
    };
    const tryAll = async (): Promise<void> => {
      for (const name of missing()) if (!this.#closed) await tryOne(name);
      again();
    };
    const again = (): void => {
      if (missing().length === 0 || this.#closed) return;
      this.#nextTry = setTimeout(() => void tryAll(), retryMs);
    };
    again();
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
    this.#closed = true;
    clearTimeout(this.#nextTry);
    this.throttles.close();
    const opened = await Promise.allSettled(this.#opened.values());
    this.#opened.clear();
    for (const result of opened) {
      if (result.status === "fulfilled") await result.value.close();
    }
  }

  async #open(name: string): Promise<Driver> {
    const backend = this.#options.backends.find((candidate) => candidate.name === name);
    if (backend === undefined) throw unknownBackend(name, this.names);
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
