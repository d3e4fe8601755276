// Import of a manifest against DuckDB's own reading of the same file, in the same run: processor
// time of both, the ratio, and the most memory the import ever held, for CSV, NDJSON and Parquet.
//   node bench/manifest.ts [--rows 1000000]
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";

const { values } = parseArgs({
  options: { rows: { type: "string", default: "1000000" }, folder: { type: "string" } },
});
const rows = Number(values.rows);
const entry = fileURLToPath(new URL("../src/cli/thermocline.ts", import.meta.url));
const workspace = await mkdtemp(join(values.folder ?? tmpdir(), "thermocline-bench-"));
const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
const duckdb = await instance.connect();

try {
  await writeFile(
    join(workspace, "thermocline.yaml"),
    "apiVersion: thermocline/v1\nbackends:\n" +
      "  - {name: hot, driver: local, tier: hot, options: {path: ./storage/hot}}\n",
  );
  const csv = join(workspace, "list.csv");
  await makeCsv(csv);
  const [ndjson, parquet] = [join(workspace, "list.ndjson"), join(workspace, "list.parquet")];
  await duckdb.run(`COPY (FROM read_csv('${csv}')) TO '${ndjson}' (FORMAT json)`);
  await duckdb.run(`COPY (FROM read_csv('${csv}')) TO '${parquet}' (FORMAT parquet)`);
  await compare("CSV", csv, `read_csv('${csv}', all_varchar = true)`);
  await compare("NDJSON", ndjson, `read_json('${ndjson}', format = 'newline_delimited')`);
  await compare("Parquet", parquet, `read_parquet('${parquet}')`);
} finally {
  duckdb.closeSync();
  instance.closeSync();
  await rm(workspace, { recursive: true, force: true });
}

async function compare(what: string, file: string, read: string): Promise<void> {
  const before = process.cpuUsage();
  await duckdb.run(`CREATE OR REPLACE TEMP TABLE peer AS FROM ${read}`);
  const { user, system } = process.cpuUsage(before);
  const floor = (user + system) / 1e6;
  const { seconds, peakMib } = await importOnce(file);
  await rm(join(workspace, ".thermocline"), { recursive: true, force: true });
  console.log(
    `${what}, ${rows} rows: import ${seconds.toFixed(1)} s of processor time ` +
      `(${((seconds * 1e6) / rows).toFixed(1)} us a row), DuckDB reads it in ` +
      `${floor.toFixed(1)} s, ratio ${(seconds / floor).toFixed(1)}; peak memory ${peakMib} MiB`,
  );
}

/** Processor time and most memory of one import by the real program. */
async function importOnce(file: string): Promise<{ seconds: number; peakMib: number }> {
  const args = [entry, "import", "manifest", file, "--backend", "hot", "-q"];
  const child = spawn(process.execPath, args, {
    cwd: workspace,
    stdio: ["ignore", "ignore", "inherit"],
  });
  let [seconds, peakKib] = [0, 0];
  const timer = setInterval(() => {
    const found = measure(child.pid ?? 0);
    [seconds, peakKib] = [Math.max(seconds, found.seconds), Math.max(peakKib, found.peakKib)];
  }, 50);
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`import ended with exit code ${code}`);
  return { seconds, peakMib: Math.round(peakKib / 1_024) };
}

/** What a process has used so far; nothing once it is gone. Times are in hundredths of a second. */
function measure(pid: number): { seconds: number; peakKib: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const peakKib = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    return { seconds: (Number(fields[11]) + Number(fields[12])) / 100, peakKib };
  } catch {
    return { seconds: 0, peakKib: 0 };
  }
}

async function makeCsv(file: string): Promise<void> {
  const out = createWriteStream(file);
  out.write("cid,size,path,type,collection,owner,modified\n");
  for (let row = 0; row < rows; row += 1) {
    const digest = createHash("sha256").update(String(row)).digest("hex");
    const path = `/datasets/part-${row % 1_000}/file-${row}.bin`;
    const line = `f01551220${digest},${row % 100_000},${path},application/octet-stream,sets,team`;
    if (!out.write(`${line},2026-01-02T03:04:05Z\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}
