import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { startVersitygw, type VersitygwServer, versitygwMissing } from "../services/versitygw.ts";
import { addFarBackend, type FarBackendOptions } from "./far-backend.ts";
import { Workspace } from "./workspace.ts";

const why = versitygwMissing();
// Else each command of each test starts a server of its own.
const queue = sharedQueueServer();
let workspace: Workspace | undefined;
let server: VersitygwServer | undefined;

afterEach(async () => {
  await workspace?.dispose();
  await server?.stop();
  [workspace, server] = [undefined, undefined];
});

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: archive}
rules:
  - name: to-bucket
    where: size > 0
    demote: {from: tier = hot, to: driver = "s3"}
`;

describe.skipIf(why !== undefined)(
  `the loop with a bucket${why ? ` (skipped: ${why})` : ""}`,
  () => {
    test("content moves to S3, is verified there, and the local copy goes with a proof", async () => {
      const { workspace, server } = await start({ secret: "test-secret" });
      const source = await makeSource(workspace);
      await workspace.ok("import", "dir", source, "--backend", "hot");
      await workspace.ok("apply", "--yes", "--override", "objects");
      const verified = await workspace.ok("verify", "-o", "json");
      expect(JSON.parse(verified)).toMatchObject({ copies: 12, verified: 12 });
      expect(await stored(workspace.storage("hot"))).toEqual([]);
      expect((await stored(join(server.folder, "archive"))).length).toBe(12);
      const proofs = await workspace.json<{ rows: { n: number }[] }>(
        "index",
        "query",
        "SELECT count(*) AS n FROM ledger WHERE kind = 'proof'",
      );
      expect(Number(proofs.rows[0]?.n)).toBe(12);
    });

    test("keys are names where the layout says so, and an empty index learns them", async () => {
      const options = { secret: "test-secret", options: "layout: file" };
      const { workspace, server } = await start(options);
      const source = await makeSource(workspace);
      await workspace.ok("import", "dir", source, "--backend", "hot", "--collection", "family");
      await workspace.ok("apply", "--yes", "--override", "objects");
      const found = await readdir(join(server.folder, "archive", "family", "source"));
      expect(found.toSorted()).toEqual((await readdir(source)).toSorted());
      const before = await workspace.json<unknown>("index", "query", copies);
      await rm(join(workspace.path, ".thermocline"), { recursive: true });
      await workspace.ok("import", "inventory", "far");
      expect(await workspace.json<unknown>("index", "query", copies)).toEqual(before);
      const names = await workspace.json<{ rows: { path: string }[] }>("index", "query", paths);
      expect(names.rows.map(({ path }) => path)).toContain("/family/source/large.bin");
    });

    test("wrong credentials end with exit code 12 and never show the secret", async () => {
      const { workspace } = await start({ secret: "another-secret" });
      const source = await makeSource(workspace);
      const { code, stdout, stderr } = await workspace.run(
        "import",
        "dir",
        source,
        "--backend",
        "far",
      );
      expect(code).toBe(12);
      expect(stderr).toMatch(/far|credential|access key/i);
      expect(stdout + stderr).not.toMatch(/another-secret/);
      const doctor = await workspace.run("doctor");
      expect(doctor.code).not.toBe(0);
      expect(doctor.stdout).toMatch(/far/);
    });
  },
);

const copies = `SELECT o.cid, c.locator, c.form, c.bytes FROM copy AS c JOIN object AS o USING (object_id)
  WHERE c.backend = 'far' ORDER BY o.cid`;
const paths = "SELECT path FROM object";

async function start(
  options: FarBackendOptions,
): Promise<{ workspace: Workspace; server: VersitygwServer }> {
  server = await startVersitygw();
  workspace = await Workspace.create({ policies: { archive: policy }, queueUrl: queue.url });
  await addFarBackend(workspace, server, { ...options, fields: "region: eu-9" });
  return { workspace, server };
}

async function makeSource(at: Workspace): Promise<string> {
  const folder = join(at.path, "source");
  await mkdir(folder);
  for (let file = 0; file < 11; file += 1) {
    await writeFile(join(folder, `${file}.bin`), randomBytes(1 + file * 5_000));
  }
  await writeFile(join(folder, "large.bin"), randomBytes(20 * 1024 * 1024));
  return folder;
}

async function stored(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.startsWith("baf"))
    .map((entry) => entry.name);
}
