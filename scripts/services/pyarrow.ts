import { existsSync } from "node:fs";
import { join } from "node:path";
import { onPath, runProgram, type Service, type ServiceReport, servicesFolder } from "./service.ts";

const version = "26.0.1";
const folder = join(servicesFolder, `pyarrow-${version}`);
const program = join(folder, "bin", "python");

/** A Python with Apache Arrow, for the tests that read record batches from another language. */
export const pyarrow: Service = {
  name: "pyarrow",
  find,
  install: () => {
    const found = find();
    const python = onPath("python3");
    if (found.available || python === undefined) return found;
    const made = runProgram(python, ["-m", "venv", folder]);
    const pip = ["-m", "pip", "install", "--quiet", "--only-binary=:all:", `pyarrow==${version}`];
    const problem = made.problem ?? runProgram(program, pip).problem;
    if (problem === undefined) return find("pip install");
    return { service: "pyarrow", available: false, reason: problem };
  },
};

function find(how = "installed before"): ServiceReport {
  const imported = existsSync(program) ? runProgram(program, ["-c", "import pyarrow"]).problem : "";
  if (imported !== undefined) {
    const need = onPath("python3") === undefined ? "needs Python 3: " : "";
    const reason = `not installed; ${need}npm run services (pip install pyarrow==${version})`;
    return { service: "pyarrow", available: false, reason };
  }
  return { service: "pyarrow", available: true, version, how, path: program };
}
