import { priceCardOf } from "#document/price-card-field.ts";
import { resolve } from "node:path";
import type { BackendConfig, Config, ConfigInput } from "#config.ts";
import type { BackendDocument, ConfigDocument } from "#config/config-schema.ts";
import type { Setting } from "#config/merge-settings.ts";

export interface CheckedConfig {
  readonly document: ConfigDocument;
  readonly settings: readonly Setting[];
  /** What each driver's schema made of `options`, in the order of the backends. */
  readonly options: readonly unknown[];
  readonly file: string | undefined;
  readonly directory: string;
  readonly input: ConfigInput;
}

/** The document → what the engine works with; relative paths become absolute. */
export function compileConfig(checked: CheckedConfig): Config {
  const { document, settings, options, file, directory, input } = checked;
  const { api, queue, node, safety } = document;
  return {
    file,
    directory,
    dataDirectory: resolve(directory, document.data),
    policies: document.policies.map((path) => resolve(directory, path)),
    queue,
    api: { listen: absoluteSocket(api.listen, directory), url: api.url, token: api.token },
    backends: document.backends.map((backend, position) =>
      compileBackend(backend, options[position], input),
    ),
    node: {
      name: node.name ?? nodeName(input.hostname),
      roles: node.roles,
      labels: node.labels,
      limits: { concurrency: node.limits.concurrency, bandwidth: node.limits.bandwidth },
    },
    safety: {
      minimumCopies: safety.minimumCopies,
      permitTtlMs: safety.permitTtl,
      clockSkewMs: safety.clockSkew,
      proofAgeMaxMs: safety.proofAge,
      objectsPercentMax: safety.maxObjects,
    },
    roles: document.roles,
    webhooks: mapEntries(document.webhooks, ({ url, secret, timeout }) => ({
      url,
      secret,
      timeoutMs: timeout,
    })),
    commands: mapEntries(document.commands, ({ run, environment, timeout }) => ({
      argv: run,
      environment,
      timeoutMs: timeout,
    })),
    exports: mapEntries(document.exports, ({ path }) => ({ path: resolve(directory, path) })),
    heat: { halfLifeMs: document.heat.halfLife },
    index: { memoryBytes: document.index.memoryLimit, threads: document.index.threads },
    standby: {
      directory:
        document.standby.directory === undefined
          ? undefined
          : resolve(directory, document.standby.directory),
      everyMs: document.standby.every,
      keep: document.standby.keep,
    },
    snapshots: {
      everyMs: document.snapshots.every,
      keep: document.snapshots.keep,
      push: document.snapshots.push,
      ledgerEveryMs: document.snapshots.ledgerEvery,
    },
    batches: { olderThanMs: document.batches.olderThan, keep: document.batches.keep },
    scrub: {
      bytesPerDay: document.scrub.perDay,
      olderThanMs: document.scrub.olderThan,
      backends: document.scrub.backends,
    },
    log: { level: document.log.level, format: document.log.format },
    telemetry: { endpoint: document.telemetry.endpoint },
    settings,
  };
}

function mapEntries<Given, Made>(
  record: Readonly<Record<string, Given>>,
  make: (given: Given) => Made,
): Readonly<Record<string, Made>> {
  return Object.fromEntries(Object.entries(record).map(([name, given]) => [name, make(given)]));
}

function compileBackend(
  backend: BackendDocument,
  options: unknown,
  { drivers }: ConfigInput,
): BackendConfig {
  const { price, limits } = backend;
  const definition = drivers.get(backend.driver);
  if (definition === undefined) throw new TypeError(`unchecked driver ${backend.driver}`);
  return {
    name: backend.name,
    driver: backend.driver,
    tier: backend.tier,
    region: backend.region,
    labels: backend.labels,
    capacityBytes: backend.capacity,
    price: priceCardOf(price),
    capabilities: definition.capabilitiesOf?.(options) ?? definition.capabilities,
    options,
    limits: {
      concurrency: limits.concurrency,
      perNode: limits.perNode,
      requestsPerSecond: limits.rate?.perSecond,
      bandwidth: limits.bandwidth,
      timeZone: limits.timezone,
    },
  };
}

function absoluteSocket(listen: string | undefined, directory: string): string | undefined {
  if (listen?.startsWith("unix:") !== true) return listen;
  return `unix:${resolve(directory, listen.slice("unix:".length))}`;
}

/** Host names may hold what node names may not: dots, capitals, underscores. */
function nodeName(hostname: string): string {
  const name = hostname
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  return name === "" ? "node" : name;
}
