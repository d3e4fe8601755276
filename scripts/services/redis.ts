import { installDebian } from "./install-debian.ts";
import { onPath, runProgram, type Service, type ServiceReport } from "./service.ts";

/** Redis, the queue store of larger installations. Comes from Debian packages. */
export const redis: Service = {
  name: "redis-server",
  find,
  install: () => {
    const found = find();
    if (found.available) return found;
    const problem = installDebian("redis-server");
    const installed = find("Debian package");
    if (installed.available || problem === undefined) return installed;
    return { service: "redis-server", available: false, reason: problem };
  },
};

function find(how = "on the path"): ServiceReport {
  const path = onPath("redis-server");
  if (path === undefined) {
    const reason = "not on the path; as root on Debian: apt-get install redis-server";
    return { service: "redis-server", available: false, reason };
  }
  const { output } = runProgram(path, ["--version"]);
  const version = /v=(\S+)/.exec(output)?.[1] ?? "unknown";
  return { service: "redis-server", available: true, version, how, path };
}
