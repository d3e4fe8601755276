import { installDebian, mayInstallDebian } from "./install-debian.ts";
import { onPath, runProgram, type Service, type ServiceReport } from "./service.ts";

const packages = ["radosgw", "ceph-mon", "ceph-osd", "ceph-common"];
const programs = ["radosgw", "ceph-mon", "ceph-osd", "ceph-authtool", "monmaptool"];

/** Ceph's S3 gateway: the second, stricter server for the s3 driver. Comes from Debian packages. */
export const cephRgw: Service = {
  name: "ceph-rgw",
  find,
  install: () => {
    const found = find();
    if (found.available) return found;
    const problem = installDebian(...packages);
    const installed = find("Debian package");
    if (installed.available || problem === undefined) return installed;
    return { service: "ceph-rgw", available: false, reason: problem };
  },
};

function find(how = "on the path"): ServiceReport {
  const absent = programs.find((program) => onPath(program) === undefined);
  const path = onPath("radosgw");
  if (absent !== undefined || path === undefined) {
    const reason = `no ${absent}; as root on Debian: apt-get install ${packages.join(" ")}`;
    const needs = mayInstallDebian() ? undefined : "root on Debian";
    return { service: "ceph-rgw", available: false, reason, needs };
  }
  const { output } = runProgram(path, ["--version"]);
  const version = /version (\S+)/.exec(output)?.[1] ?? "unknown";
  return { service: "ceph-rgw", available: true, version, how, path };
}
