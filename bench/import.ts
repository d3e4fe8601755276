// Import of many small files and of one large file, against `cp` + `sha256sum` on the same files
// in the same run: wall time of both, the ratio, and the most memory the import ever held.
//   node bench/import.ts [--files 100000] [--file-bytes 4096] [--large-bytes 4294967296]
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomFillSync } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    files: { type: "string", default: "100000" },
    "file-bytes": { type: "string", default: "4096" },
    "large-bytes": { type: "string", default: String(4 * 1024 ** 3) },
    folder: { type: "string", default: tmpdir() },
  },
});
const entry = fileURLToPath(new URL("../src/cli/thermocline.ts", import.meta.url));
const workspace = await mkdtemp(join(values.folder, "thermocline-bench-"));

try {
  await writeFile(
    join(workspace, "thermocline.yaml"),
    "apiVersion: thermocline/v1\nbackends:\n" +
      "  - {name: hot, driver: local, tier: hot, options: {path: ./storage/hot}}\n",
  );
  const small = join(workspace, "small");
  await makeSmall(small, Number(values.files), Number(values["file-bytes"]));
  await compare(`${values.files} files of ${values["file-bytes"]} bytes`, small);
  await rm(small, { recursive: true, force: true });
  const large = join(workspace, "large");
  await makeLarge(large, Number(values["large-bytes"]));
  await compare(`one file of ${values["large-bytes"]} bytes`, large);
} finally {
  await rm(workspace, { recursive: true, force: true });
}

async function compare(what: string, source: string): Promise<void> {
  const copy = join(workspace, "copy");
  const peerStarted = performance.now();
  spawnSync("cp", ["-r", source, copy]);
  // The peer's copy is made durable too: the import answers only when its bytes are on disk.
  spawnSync("sync", ["-f", copy]);
  spawnSync("sh", ["-c", `find "$0" -type f -print0 | xargs -0 sha256sum > /dev/null`, copy]);
  const peer = (performance.now() - peerStarted) / 1_000;
  await rm(copy, { recursive: true, force: true });
  const ours = await importOnce(source);
  console.log(
    `${what}: import ${ours.seconds.toFixed(1)} s, cp + sync + sha256sum ${peer.toFixed(1)} s, ` +
      `ratio ${(ours.seconds / peer).toFixed(2)}; peak memory ${ours.peakMib} MiB`,
  );
}

async function importOnce(source: string): Promise<{ seconds: number; peakMib: number }> {
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [entry, "import", "dir", source, "--backend", "hot", "-q"],
    {
      cwd: workspace,
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  let peakKib = 0;
  const timer = setInterval(() => {
    peakKib = Math.max(peakKib, peakOf(child.pid ?? 0));
  }, 100);
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`import ended with exit code ${code}`);
  return { seconds: (performance.now() - started) / 1_000, peakMib: Math.round(peakKib / 1_024) };
}

/** Most memory a process has held so far, in KiB; 0 when it is gone. */
function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function makeSmall(folder: string, files: number, bytes: number): Promise<void> {
  const content = Buffer.alloc(bytes);
  for (let file = 0; file < files; file += 1) {
    const parent = join(folder, `part-${Math.floor(file / 1_000)}`);
    if (file % 1_000 === 0) await mkdir(parent, { recursive: true });
    randomFillSync(content);
    await writeFile(join(parent, `file-${file}.bin`), content);
  }
}

async function makeLarge(folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const out = createWriteStream(join(folder, "large.bin"));
  const piece = Buffer.alloc(8 * 1024 * 1024);
  for (let written = 0; written < bytes; written += piece.length) {
    randomFillSync(piece);
    if (!out.write(piece.subarray(0, Math.min(piece.length, bytes - written)))) {
      await once(out, "drain");
    } else await new Promise((resolve) => setImmediate(resolve));
  }
  out.end();
  await once(out, "finish");
}
