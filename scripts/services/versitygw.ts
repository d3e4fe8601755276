import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { onPath, runProgram, type Service, type ServiceReport, servicesFolder } from "./service.ts";

const version = "v1.7.0";
const module = `github.com/versity/versitygw/cmd/versitygw@${version}`;
const folder = join(servicesFolder, `versitygw-${version}`);
const program = join(folder, "versitygw");

/** An S3 server on a plain folder, for the tests of the s3 driver. Built by Go. */
export const versitygw: Service = {
  name: "versitygw",
  find,
  install: () => {
    const found = find();
    if (found.available || onPath("go") === undefined) return found;
    mkdirSync(folder, { recursive: true });
    const { problem } = runProgram("go", ["install", module], { GOBIN: folder });
    if (problem === undefined) return find("go install");
    return { service: "versitygw", available: false, reason: problem };
  },
};

function find(how = "installed before"): ServiceReport {
  if (!existsSync(program)) {
    const needs = onPath("go") === undefined ? "Go" : undefined;
    const need = needs === undefined ? "" : `needs ${needs}: `;
    const reason = `not installed; ${need}npm run services (go install ${module})`;
    return { service: "versitygw", available: false, reason, needs };
  }
  return { service: "versitygw", available: true, version, how, path: program };
}

/** The version that the compiler wrote into the program, as it has no better one to tell. */
export function builtVersion(): string {
  const { output } = runProgram(onPath("go") ?? "go", ["version", "-m", program]);
  return /^\s*mod\s+\S+\s+(\S+)/m.exec(output)?.[1] ?? `installed as ${version}`;
}
