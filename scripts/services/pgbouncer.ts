import { installDebian } from "./install-debian.ts";
import { onPath, runProgram, type Service, type ServiceReport } from "./service.ts";

/** PgBouncer, the pooler that `doctor` must see through. Comes from Debian packages. */
export const pgbouncer: Service = {
  name: "pgbouncer",
  find,
  install: () => {
    const found = find();
    if (found.available) return found;
    const problem = installDebian("pgbouncer");
    const installed = find("Debian package");
    if (installed.available || problem === undefined) return installed;
    return { service: "pgbouncer", available: false, reason: problem };
  },
};

/** Debian puts it where only root's path looks. */
function find(how = "on the path"): ServiceReport {
  const path = onPath("pgbouncer") ?? onPath("/usr/sbin/pgbouncer");
  if (path === undefined) {
    const reason = "not on the path; as root on Debian: apt-get install pgbouncer";
    return { service: "pgbouncer", available: false, reason };
  }
  const { output } = runProgram(path, ["--version"]);
  const version = /PgBouncer (\S+)/.exec(output)?.[1] ?? "unknown";
  return { service: "pgbouncer", available: true, version, how, path };
}
