import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { pieceRowsMax } from "#index/row-files/row-file-source.ts";
import { Workspace } from "../integration/workspace.ts";

const entry = fileURLToPath(new URL("../../src/cli/thermocline.ts", import.meta.url));
/** Three pieces of an import. */
const rows = 300_000;

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.dispose();
  workspace = undefined;
});

test("an import that is killed, wherever it is, leaves a sound index and then goes on", async () => {
  workspace = await Workspace.create({ policies: {} });
  const file = join(workspace.path, "list.csv");
  await makeManifest(file);
  // Before the first piece is in, behind one, and as a later one is being written.
  for (const { seen, laterMs } of [
    { seen: 0, laterMs: 50 },
    { seen: 1, laterMs: 0 },
    { seen: pieceRowsMax + 1, laterMs: 100 },
  ]) {
    const shown = await killAt(workspace.path, file, seen, laterMs);
    await workspace.ok("audit", "check");
    const held = await objects(workspace);
    expect(held).toBeGreaterThanOrEqual(shown);
    expect(held === rows || held % pieceRowsMax === 0).toBe(true);
  }
  const last = await workspace.json<Summary>("import", "manifest", file, "--backend", "hot");
  expect(last).toMatchObject({ rows, malformed: 0 });
  // On a fast machine the last kill may come after the last row: then this was another import.
  expect([last.added, last.known]).toEqual(last.added === 0 ? [0, rows] : [rows, 0]);
  expect(last.copies).toBe(last.added);
  expect(last.earlier >= pieceRowsMax || last.added === 0).toBe(true);
  expect(await objects(workspace)).toBe(rows);
  await workspace.ok("audit", "check");
  const imports = "SELECT count(*)::INTEGER AS n FROM ledger WHERE kind = 'import'";
  expect(await single(workspace, imports)).toBe(last.added > 0 ? 1 : 2);
  expect(await readdir(join(workspace.path, ".thermocline"))).not.toContain("index.duckdb.tmp");
}, 300_000);

interface Summary {
  readonly rows: number;
  readonly added: number;
  readonly known: number;
  readonly copies: number;
  readonly earlier: number;
}

/** Kills an import a while after it showed so many rows; says how many it had shown. */
async function killAt(cwd: string, file: string, seen: number, laterMs: number): Promise<number> {
  const args = ["import", "manifest", file, "--backend", "hot", "--progress", "json"];
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let shown = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    const { done } = (line.startsWith("{") ? JSON.parse(line) : {}) as { done?: number };
    shown = Math.max(shown, done ?? 0);
    if (done !== undefined && done >= seen) break;
  }
  await delay(laterMs);
  child.kill("SIGKILL");
  await exited;
  return shown;
}

async function objects(from: Workspace): Promise<number> {
  return await single(from, "SELECT count(*)::INTEGER AS n FROM object");
}

async function single(from: Workspace, text: string): Promise<number> {
  const { rows: found } = await from.json<{ rows: { n: number }[] }>("index", "query", text);
  return found[0]?.n ?? Number.NaN;
}

async function makeManifest(file: string): Promise<void> {
  let text = "cid,size,path\n";
  for (let row = 0; row < rows; row += 1) {
    const digest = createHash("sha256").update(String(row)).digest("hex");
    text += `f01551220${digest},${row},/list/${row}\n`;
  }
  await writeFile(file, text);
}
