import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onPath, runProgram } from "./service.ts";
import { freePort, startServer, type ServerProcess } from "./server-process.ts";

export interface CephPlace {
  readonly root: string;
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const rgw = "client.rgw.a";

/**
 * Starts the smallest Ceph that has an S3 gateway: one monitor, one OSD in memory, one gateway,
 * on loopback. Keys are real (cephx): without them the gateway waits five minutes for nothing.
 */
export async function serveCeph(place: CephPlace): Promise<ServerProcess> {
  const { root, port, accessKeyId, secretAccessKey } = place;
  for (const folder of ["mon", "osd", "run"]) await mkdir(join(root, folder), { recursive: true });
  const fsid = randomUUID();
  const monitor = `v2:127.0.0.1:${await freePort()}`;
  await writeFile(join(root, "ceph.conf"), configuration(root, fsid, monitor, port));
  makeKeys(root);
  run("monmaptool", ["--create", "--fsid", fsid, "--addv", "a", `[${monitor}]`, map(root)]);
  run("ceph-mon", [...config(root), "-i", "a", "--mkfs", "--monmap", map(root)], keyring(root));

  const started: ServerProcess[] = [];
  const start = async (program: string, args: readonly string[], answers: () => boolean) => {
    const path = onPath(program) ?? program;
    const all = [...config(root), ...args, "-f"];
    const options = { folder: root, readyWithinMs, answers: () => Promise.resolve(answers()) };
    started.unshift(await startServer(path, all, options));
  };
  const end = async (how: "stop" | "kill"): Promise<void> => {
    for (const server of started) await server[how]();
  };
  try {
    await start("ceph-mon", ["-i", "a"], () => true);
    const osd = randomUUID();
    run("ceph", [...config(root), "osd", "new", osd, "0"]);
    const place = ["osd", "crush", "add", "osd.0", "1.0", "root=default", "host=here"];
    run("ceph", [...config(root), ...place]);
    run("ceph-osd", [...config(root), "-i", "0", "--mkfs", "--osd-uuid", osd], keyring(root));
    await start("ceph-osd", ["-i", "0"], () => true);
    const gateway = await startServer(
      onPath("radosgw") ?? "radosgw",
      [...config(root), "-n", rgw, "-f"],
      {
        folder: root,
        readyWithinMs,
        answers: async () => (await fetch(`http://127.0.0.1:${port}/`)).ok,
      },
    );
    started.unshift(gateway);
    run("radosgw-admin", [
      ...config(root),
      "-n",
      rgw,
      "user",
      "create",
      "--uid=test",
      "--display-name=test",
      `--access-key=${accessKeyId}`,
      `--secret-key=${secretAccessKey}`,
    ]);
    // Memory is all it has: there is nothing to save in an orderly end.
    const stop = () => end("kill");
    return {
      pid: gateway.pid,
      hasEnded: () => gateway.hasEnded(),
      stop,
      kill: stop,
      abandon: () => abandon(started),
    };
  } catch (error) {
    await end("kill");
    throw error;
  }
}

/** Making the first pools takes most of it. */
const readyWithinMs = 90_000;

function abandon(servers: readonly ServerProcess[]): void {
  for (const server of servers) server.abandon();
}

function run(program: string, args: readonly string[], more: readonly string[] = []): void {
  const { problem } = runProgram(onPath(program) ?? program, [...args, ...more]);
  if (problem !== undefined) throw new Error(problem);
}

function config(root: string): readonly string[] {
  return ["-c", join(root, "ceph.conf")];
}

function map(root: string): string {
  return join(root, "monmap");
}

function keyring(root: string): readonly string[] {
  return ["--keyring", join(root, "keyring")];
}

function makeKeys(root: string): void {
  const all = ["--cap", "mon", "allow *", "--cap", "osd", "allow *"];
  const rights = {
    "mon.": ["--cap", "mon", "allow *"],
    "client.admin": all,
    "osd.0": ["--cap", "mon", "allow profile osd", "--cap", "osd", "allow *"],
    [rgw]: ["--cap", "mon", "allow rwx", "--cap", "osd", "allow rwx"],
  };
  const file = join(root, "keyring");
  for (const [at, [name, caps]] of Object.entries(rights).entries()) {
    run(
      "ceph-authtool",
      [...(at === 0 ? ["--create-keyring"] : []), file, "--gen-key"],
      ["-n", name, ...caps],
    );
  }
}

/** One placement group a pool and one shard a bucket: nothing here is large. */
function configuration(root: string, fsid: string, monitor: string, port: number): string {
  return `[global]
fsid = ${fsid}
mon host = ${monitor}
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${join(root, "keyring")}
run dir = ${join(root, "run")}
admin socket =
log file =
log to file = false
mon cluster log to file = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
mon allow pool size one = true
mon data avail warn = 1
mon data avail crit = 0
mon max pg per osd = 1000
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
[mon.a]
mon data = ${join(root, "mon")}
[osd.0]
osd data = ${join(root, "osd")}
[${rgw}]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw data = ${join(root, "run")}
rgw override bucket index max shards = 1
rgw thread pool size = 32
`;
}
