import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A process that starts one of each kind of what must not outlive it, and says their ids. */
const work = `
  import { spawn } from "node:child_process";
  import { endWithUs, removeWithUs } from "./scripts/services/end-with-us.ts";
  import { openEmbeddedPostgres } from "./src/jobs/embedded-postgres.ts";
  const [folder] = process.argv.slice(1);
  removeWithUs(folder, "OWN_FOLDER");
  const start = (env) => {
    const child = spawn("sleep", ["600"], { stdio: "ignore", detached: true, env });
    child.unref();
    return child;
  };
  const [told, marked] = [start(process.env), start({ ...process.env, OWN_FOLDER: folder })];
  endWithUs(told);
  const { pid } = await openEmbeddedPostgres(folder);
  console.log(JSON.stringify({ told: told.pid, marked: marked.pid, postgres: pid }));
  setTimeout(() => undefined, 600_000);
`;

test.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)(
  "ended by %s, a process leaves nothing running and no folder",
  async (signal) => {
    const folder = await mkdtemp(join(tmpdir(), "end-with-us-"));
    await chmod(folder, 0o755);
    const args = ["--input-type=module", "-e", work, folder];
    const stdio = ["ignore", "pipe", "inherit"] as const;
    const child = spawn(process.execPath, args, { cwd: root, stdio: [...stdio] });
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    const started = JSON.parse(said.toString()) as Readonly<Record<string, number>>;
    const running = () => Object.keys(started).filter((name) => isRunning(started[name] ?? 0));
    const linuxOnly = process.platform === "linux" ? [] : ["marked"];
    expect(running()).toEqual(["told", "marked", "postgres"]);
    child.kill(signal);
    await vi.waitFor(
      () => {
        expect(running()).toEqual(linuxOnly);
        expect(existsSync(folder)).toBe(false);
      },
      { timeout: 45_000 },
    );
  },
);

/** Ended processes that nobody has asked for yet do not count. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout !== "" && !stdout.startsWith("Z");
}
