import { join } from "node:path";
import { goProgram } from "./go-program.ts";
import { servicesFolder } from "./service.ts";

const version = "v0.42.0";

/** An IPFS node, for the tests of drivers whose storage is IPFS. Built by Go. */
export const kubo = goProgram({
  name: "kubo",
  module: "github.com/ipfs/kubo",
  version,
  command: "cmd/ipfs",
  path: join(servicesFolder, `kubo-${version}`, "ipfs"),
});
