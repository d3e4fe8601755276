import { dirname, relative } from "node:path";
import type { BackendLimits, NodeLimits } from "#model/backend-limits.ts";
import type { BackendFacts } from "#model/index-store.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { DriverDefinition } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Role } from "#model/node.ts";
import { parseDocuments } from "#document/parse-documents.ts";
import type { ParsedDocument } from "#document/parse-documents.ts";
import { readSource } from "#document/read-source.ts";
import { checkBackends } from "#config/check-backends.ts";
import { checkNamedBackends } from "#config/check-named-backends.ts";
import { compileConfig } from "#config/compile-config.ts";
import { configSchema } from "#config/config-schema.ts";
import type { ConfigDocument } from "#config/config-schema.ts";
import { findConfigFile } from "#config/find-config-file.ts";
import { mergeSettings } from "#config/merge-settings.ts";
import type { Setting } from "#config/merge-settings.ts";
import { settingOverrides } from "#config/setting-overrides.ts";

/** The configuration of one process, compiled: bytes, milliseconds, absolute paths. */
export interface Config {
  /** The file it came from; undefined when there is none and defaults hold. */
  readonly file: string | undefined;
  /** Where relative paths and `file:` references start: the file's directory, else cwd. */
  readonly directory: string;
  readonly dataDirectory: string;
  /** Absolute files, directories and globs; see `readPolicySources`. */
  readonly policies: readonly string[];
  readonly queue: {
    /** `embedded`, a URL, or a secret reference that stands for a URL (`resolveReference`). */
    readonly url: string;
    readonly prefix: string;
  };
  readonly api: {
    /** `unix:/path` or `host:port`. */
    readonly listen: string | undefined;
    readonly url: string | undefined;
    /** A secret reference. */
    readonly token: string | undefined;
  };
  readonly backends: readonly BackendConfig[];
  readonly node: {
    readonly name: string;
    readonly roles: readonly Role[];
    readonly labels: Readonly<Record<string, string>>;
    readonly limits: NodeLimits;
  };
  readonly safety: {
    readonly minimumCopies: number;
    readonly permitTtlMs: number;
    /** How far the clocks of nodes may differ. */
    readonly clockSkewMs: number;
    /** A copy that was re-hashed longer ago is re-hashed before a removal rests on it. */
    readonly proofAgeMaxMs: number;
    /** Guard: percent of all objects that one plan may touch. */
    readonly objectsPercentMax: number;
  };
  /** People by role: their names, or the part of them before the @. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  /** Whom policies may tell of objects, by name; references as they were written. */
  readonly webhooks: Readonly<
    Record<string, { readonly url: string; readonly secret: string; readonly timeoutMs: number }>
  >;
  /** What policies may have run, by name. */
  readonly commands: Readonly<Record<string, CommandConfig>>;
  /** Folders into which policies may have objects exported, by name; whole paths. */
  readonly exports: Readonly<Record<string, { readonly path: string }>>;
  readonly heat: { readonly halfLifeMs: number };
  readonly index: { readonly memoryBytes: number; readonly threads: number | undefined };
  /** Where a controller on another data directory finds the index; undefined is nowhere. */
  readonly standby: {
    readonly directory: string | undefined;
    readonly everyMs: number;
    readonly keep: number;
  };
  /** Snapshots of the index by the clock; undefined is never. */
  readonly snapshots: {
    readonly everyMs: number | undefined;
    readonly keep: number;
    /** Names of backends. */
    readonly push: readonly string[];
    readonly ledgerEveryMs: number;
  };
  /** Record batches that are given up by the clock; undefined is never. */
  readonly batches: {
    readonly olderThanMs: number | undefined;
    readonly keep: number;
  };
  /** Copies that are checked again by and by; undefined bytes is never. */
  readonly scrub: {
    readonly bytesPerDay: number | undefined;
    readonly olderThanMs: number;
    /** Names; none means all. */
    readonly backends: readonly string[];
  };
  readonly log: { readonly level: string; readonly format: "json" | "pretty" | undefined };
  /** The OTLP receiver; the standard environment variables win. */
  readonly telemetry: { readonly endpoint: string | undefined };
  /** Every setting in the user's form with where it came from, for `config view`. */
  readonly settings: readonly Setting[];
}

/** A command that policies may have run. */
export interface CommandConfig {
  readonly argv: readonly string[];
  /** Names of the variables that it gets. */
  readonly environment: readonly string[];
  readonly timeoutMs: number;
}

/** A configured backend: the facts for the index, and what its driver needs to open it. */
export interface BackendConfig extends BackendFacts {
  /** Validated by the driver's own schema. */
  readonly options: unknown;
  readonly limits: BackendLimits;
}

export interface ConfigInput {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  readonly drivers: ReadonlyMap<string, DriverDefinition>;
  /** The file named by `--config`. */
  readonly file?: string | undefined;
  /** Flags by the path of the setting: `{"queue.url": "redis://…"}`. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds, reads and checks the configuration. What is wrong with the file is thrown at once, as
 * INVALID_DOCUMENT with `details.diagnostics`.
 */
export async function loadConfig(input: ConfigInput): Promise<Config> {
  const file = await findConfigFile(input);
  const directory = file === undefined ? input.cwd : dirname(file);
  const read = file === undefined ? undefined : await readConfigFile(file, directory, input);
  const { document, settings } = mergeSettings(read?.document, settingOverrides(input));
  return compileConfig({
    document,
    settings,
    options: read?.options ?? [],
    file,
    directory,
    input,
  });
}

async function readConfigFile(
  file: string,
  directory: string,
  input: ConfigInput,
): Promise<{ document: ParsedDocument<ConfigDocument>; options: readonly unknown[] }> {
  const source = await readSource(file, shownPath(file, input.cwd));
  const { documents, diagnostics } = parseDocuments(source, configSchema);
  const [document, second] = documents;
  if (document === undefined) throw invalidConfig(source.file, diagnostics);
  const checked = checkBackends(document.raw, document.places, input.drivers, directory);
  const extra = second === undefined ? [] : [onlyOneDocument(second)];
  const pushed = checkNamedBackends(document.raw, document.places);
  const all = [...diagnostics, ...checked.diagnostics, ...pushed, ...extra];
  if (all.some((diagnostic) => diagnostic.severity === "error")) {
    throw invalidConfig(source.file, all);
  }
  return { document, options: checked.options };
}

function onlyOneDocument({ places }: ParsedDocument<ConfigDocument>): Diagnostic {
  return places.diagnostic(places.key([]), {
    code: "E0101",
    message: "a configuration is one document; this is a second one",
    hint: "remove the line --- and what follows, or merge the two",
  });
}

/** Paths below the current directory are shown as people type them. */
function shownPath(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path.startsWith("..") ? file : path;
}

function invalidConfig(file: string, diagnostics: readonly Diagnostic[]): EngineError {
  const count = diagnostics.length;
  return new EngineError(
    "INVALID_DOCUMENT",
    `${file} has ${count === 1 ? "an error" : `${count} errors`}`,
    { hint: "correct what is marked above and run the command again", details: { diagnostics } },
  );
}
