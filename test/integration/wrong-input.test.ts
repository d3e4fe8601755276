import { chmod, mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Workspace } from "./workspace.ts";

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: durable}
rules:
  - name: two-copies
    where: size >= 0
    ensure: {copies: 2, on: tier >= hot, confidence: verified}
`;

let workspace: Workspace;

beforeEach(async () => {
  workspace = await Workspace.create({ policies: { durable: policy } });
});

afterEach(() => workspace.dispose());

describe("wrong input gets an error with its place, a remedy and the documented exit code", () => {
  test("an unknown key in the configuration", async () => {
    await appendConfig(workspace, "backnds: []\n");
    const { code, stderr } = await workspace.run("status");
    expect(code).toBe(1);
    expect(stderr).toMatch(/thermocline\.yaml:\d+:\d+: error: .*backnds/);
    expect(stderr).toMatch(/did you mean .*backends/);
  });

  test("an unknown key and a bad unit in a policy are reported together", async () => {
    const text = policy
      .replace("confidence: verified", "confidnce: verified")
      .replace("size >= 0", "size >= 3 parsecs");
    await writePolicy(workspace, text);
    const { code, stdout, stderr } = await workspace.run("validate");
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/durable\.thermocline\.yaml:6:\d+: error/);
    expect(stdout + stderr).toMatch(/durable\.thermocline\.yaml:7:\d+: error/);
    expect(stdout + stderr).toMatch(/did you mean .*confidence/);
  });

  test("a size compared with a duration", async () => {
    await writePolicy(workspace, policy.replace("size >= 0", "size > 3d"));
    const { code, stdout, stderr } = await workspace.run("validate");
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/durable\.thermocline\.yaml:6:\d+: error/);
  });

  test("a backend that is not configured", async () => {
    await writePolicy(workspace, policy.replace("tier >= hot", `backend = "hott"`));
    const { code, stdout, stderr } = await workspace.run("plan");
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/durable\.thermocline\.yaml:7:\d+: error/);
    expect(stdout + stderr).toMatch(/hot/);
    const imported = await workspace.run("import", "dir", workspace.path, "--backend", "nowhere");
    expect(imported.code).not.toBe(0);
    expect(imported.stderr).toMatch(/nowhere.*\n.*cold, hot, warm/s);
  });

  test("a YAML alias bomb", async () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const below = level === 0 ? `"x"` : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: 9 }, () => below).join(", ")}]`;
    });
    await writePolicy(workspace, `${policy}bomb:\n  ${levels.join("\n  ")}\n`);
    // Unfolded, it would end with the memory of the machine and no such word.
    const { code, stdout, stderr } = await workspace.run("validate");
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/alias/);
  });

  test("a folder that does not exist, and one that cannot be read", async () => {
    const missing = await workspace.run(
      "import",
      "dir",
      join(workspace.path, "no"),
      "--backend",
      "hot",
    );
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/\/no is not there/);
    const file = join(workspace.path, "plain-file");
    await writeFile(file, "x");
    const plain = await workspace.run("import", "dir", file, "--backend", "hot");
    expect(plain.code).toBe(1);
    expect(plain.stderr).toMatch(/plain-file/);
  });

  test("a command and a flag that do not exist", async () => {
    const command = await workspace.run("pln");
    expect(command.code).toBe(64);
    expect(command.stderr).toMatch(/plan/);
    expect((await workspace.run("plan", "--nope")).code).toBe(64);
  });

  test("-o json ends standard error with a machine-readable exit_error", async () => {
    const { code, stderr } = await workspace.run("explain", "/no/such/object", "-o", "json");
    const last = stderr.trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({ type: "exit_error", code });
  });
});

describe("storage that misbehaves", () => {
  test("a full disk stops the import with a clear error, and what was stored stays", async () => {
    const text = await readFile(join(workspace.path, "thermocline.yaml"), "utf8");
    await writeFile(
      join(workspace.path, "thermocline.yaml"),
      text.replace("name: hot,", "name: hot, capacity: 100KiB,"),
    );
    const source = await sourceTree(workspace, 10, 30_000);
    const { code, stderr } = await workspace.run("import", "dir", source, "--backend", "hot");
    expect(code).toBe(8);
    expect(stderr).toMatch(/hot/);
    expect(stderr).toMatch(/capacity|full|space/);
    const { objects } = await workspace.json<{ objects: unknown[] }>("objects", "ls");
    expect(objects.length).toBe(3);
    const report = await workspace.audit();
    expect(report).toMatchObject({ corrupt: 0, missing: 0, objects: 3 });
  });

  test("a corrupted byte is found, is not copied on, and is repaired from an intact copy", async () => {
    const source = await sourceTree(workspace, 3, 5_000);
    await workspace.ok("import", "dir", source, "--backend", "hot");
    await workspace.ok("apply", "--yes");
    const file = await firstStored(workspace, "hot");
    await flipByte(file);
    const found = await workspace.run("verify");
    expect(found.code).toBe(1);
    expect(found.stdout + found.stderr).toMatch(/corrupt/);
    await workspace.ok("apply", "--yes");
    const report = await workspace.audit();
    // The damaged copy does not count, and another one stands for it.
    expect(report.missing).toBe(0);
    expect(report.objectsByIntactCopies).toEqual({ 2: 3 });
  });

  test("bytes damaged before the first copy never reach a second backend", async () => {
    const source = await sourceTree(workspace, 2, 5_000);
    await workspace.ok("import", "dir", source, "--backend", "hot");
    await flipByte(await firstStored(workspace, "hot"));
    const applied = await workspace.run("apply", "--yes");
    expect(applied.code).toBe(3);
    expect(applied.stdout + applied.stderr).toMatch(/CORRUPT|corrupt/);
    const report = await workspace.audit();
    expect(report.corrupt).toBe(1);
    expect(report.files).toBe(3);
  });

  test("wrong credentials of a queue are told without its password", async () => {
    await appendConfig(workspace, "queue: {url: env:QUEUE_URL}\n");
    const source = await sourceTree(workspace, 1, 100);
    await workspace.ok("import", "dir", source, "--backend", "hot");
    process.env["QUEUE_URL"] = "redis://user:s3cr3t-password@127.0.0.1:9/0";
    try {
      const { code, stdout, stderr } = await workspace.run("apply", "--yes");
      expect(code).toBe(69);
      expect(stdout + stderr).not.toMatch(/s3cr3t-password/);
      expect(stderr).toMatch(/127\.0\.0\.1:9/);
    } finally {
      delete process.env["QUEUE_URL"];
    }
  });
});

async function appendConfig(at: Workspace, text: string): Promise<void> {
  const file = join(at.path, "thermocline.yaml");
  await writeFile(file, (await readFile(file, "utf8")) + text);
}

function writePolicy(at: Workspace, text: string): Promise<void> {
  return writeFile(join(at.path, "policies", "durable.thermocline.yaml"), text);
}

async function sourceTree(at: Workspace, files: number, bytes: number): Promise<string> {
  const folder = join(at.path, "source");
  await mkdir(folder);
  for (let file = 0; file < files; file += 1) {
    await writeFile(join(folder, `file-${file}.bin`), Buffer.alloc(bytes, `content ${file} `));
  }
  return folder;
}

async function firstStored(at: Workspace, backend: string): Promise<string> {
  const entries = await readdir(at.storage(backend), { recursive: true, withFileTypes: true });
  const [first] = entries
    .filter((entry) => entry.isFile() && entry.name.startsWith("baf"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  if (first === undefined) throw new Error(`nothing is stored on ${backend}`);
  return first;
}

async function flipByte(path: string): Promise<void> {
  await chmod(path, 0o644);
  await using file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 100);
  byte[0] = (byte[0] ?? 0) ^ 0x01;
  await file.write(byte, 0, 1, 100);
}
