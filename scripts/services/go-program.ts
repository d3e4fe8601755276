import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { onPath, runProgram, type Service, type ServiceReport } from "./service.ts";

/** A server that is written in Go and that we build for ourselves. */
export interface GoProgram {
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** The folder of the program in its module. */
  readonly command: string;
  /** Where the built program lies. */
  readonly path: string;
}

/** A server of which a fixed version is built by Go, and found again where it was put. */
export function goProgram(program: GoProgram): Service {
  const { name, path } = program;
  return {
    name,
    find: () => find(program, "installed before"),
    install: () => {
      const found = find(program, "installed before");
      if (found.available || onPath("go") === undefined) return found;
      mkdirSync(dirname(path), { recursive: true });
      const problem = build(program);
      if (problem === undefined) return find(program, "go build");
      return { service: name, available: false, reason: problem };
    },
  };
}

/**
 * `go install` asks the proxy for the list of all versions, which a proxy that hands out only
 * some of them refuses: the module is fetched by its version, and built where it lies.
 */
function build({ module, version, command, path }: GoProgram): string | undefined {
  const fetched = runProgram("go", ["mod", "download", "-json", `${module}@${version}`]);
  if (fetched.problem !== undefined) return fetched.problem;
  const { Dir: source } = JSON.parse(fetched.output) as { readonly Dir: string };
  // Compiling gives way to what else the machine does.
  const go = ["go", "-C", source, "build", "-o", path, `./${command}`];
  return runProgram("nice", ["-n", "5", ...go]).problem;
}

function find({ name, module, version, command, path }: GoProgram, how: string): ServiceReport {
  if (existsSync(path)) return { service: name, available: true, version, how, path };
  const needs = onPath("go") === undefined ? "Go" : undefined;
  const need = needs === undefined ? "" : `needs ${needs}: `;
  const reason = `not installed; ${need}npm run services (${module}/${command}@${version})`;
  return { service: name, available: false, reason, needs };
}
