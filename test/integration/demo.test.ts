import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { Workspace } from "./workspace.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let workspace: Workspace | undefined;

afterEach(() => workspace?.dispose());

test("the demo ends well, and its report is true to an independent re-hash of every file", async () => {
  const { code, text } = await demo();
  workspace = Workspace.at(/── A workspace .*: (\S+)/.exec(text)?.[1] ?? "");
  expect({ code, text }).toMatchObject({ code: 0 });
  expect(text).toMatch(/\*\*\* worker-1 killed \(kill -9\) with \d+ of \d+ actions to go/);
  expect(text).toMatch(/is completed/);
  expect(text).toMatch(/ 0 objects below their minimum/);
  const objects = reported(text, "objects");
  const report = await workspace.audit();
  expect(report).toMatchObject({ corrupt: 0, missing: 0, objects });
  const copies = Object.entries(report.objectsByIntactCopies);
  expect(copies.reduce((sum, [count, number]) => sum + Number(count) * number, 0)).toBe(
    reported(text, "copies"),
  );
  // The policies promise two verified copies of all that is not empty.
  const promised = await workspace.json<{ objects: { cid: string }[] }>(
    "objects",
    "ls",
    "--where",
    "size > 0 and copies(confidence >= verified) < 2",
  );
  expect(promised.objects).toEqual([]);
}, 300_000);

function reported(text: string, what: string): number {
  const report = text.slice(text.indexOf("\nReport"));
  const figure = new RegExp(`^ {2}${what} +([\\d,]+)`, "m").exec(report)?.[1] ?? "";
  return Number(figure.replaceAll(",", ""));
}

async function demo(): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, ["scripts/demo.ts", "--keep"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  const pieces: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (piece: Buffer) => pieces.push(piece));
  }
  const [code] = (await once(child, "close")) as [number | null];
  const text = Buffer.concat(pieces).toString("utf8");
  if (code !== 0) console.error(text.slice(-4_000));
  return { code, text };
}
