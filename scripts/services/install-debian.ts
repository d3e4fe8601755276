import { onPath, runProgram } from "./service.ts";

/** Run level 1: packages must not start servers of their own. */
const quiet = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };

/** Installs Debian packages where we may; says what went wrong, or undefined. */
export function installDebian(...names: readonly string[]): string | undefined {
  if (!mayInstallDebian()) {
    return `as root on Debian: apt-get install ${names.join(" ")}`;
  }
  const packages = ["install", "-y", "--no-install-recommends", ...names];
  const { problem } = runProgram("apt-get", packages, quiet);
  if (problem === undefined) return undefined;
  runProgram("apt-get", ["update"], quiet);
  return runProgram("apt-get", packages, quiet).problem;
}

/** Whether this machine has such packages, and lets us install them. */
export function mayInstallDebian(): boolean {
  return process.getuid?.() === 0 && onPath("apt-get") !== undefined;
}
