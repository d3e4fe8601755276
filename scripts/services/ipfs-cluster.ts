import { join } from "node:path";
import { goProgram } from "./go-program.ts";
import { servicesFolder } from "./service.ts";

const version = "v1.1.6";

/** A peer of IPFS Cluster with its own Pinning Service API, for two drivers. Built by Go. */
export const ipfsCluster = goProgram({
  name: "ipfs-cluster",
  module: "github.com/ipfs-cluster/ipfs-cluster",
  version,
  command: "cmd/ipfs-cluster-service",
  path: join(servicesFolder, `ipfs-cluster-${version}`, "ipfs-cluster-service"),
});
