import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A server program that tests start: where it is, or why it is not there. */
export type ServiceReport =
  | {
      readonly service: string;
      readonly available: true;
      readonly version: string;
      /** How it came here, e.g. "on the path" or "go install". */
      readonly how: string;
      readonly path: string;
    }
  | {
      readonly service: string;
      readonly available: false;
      readonly reason: string;
      /** What this machine lacks to install it, e.g. "Go"; undefined where it could. */
      readonly needs?: string | undefined;
    };

/** One server program: how to find it and how to get it. */
export interface Service {
  readonly name: string;
  /** Looks only; installs nothing. */
  find(): ServiceReport;
  /** Installs it when it is absent; called again it changes nothing. */
  install(): ServiceReport;
}

/** Programs that we install for ourselves go here: inside the project and out of git. */
export const servicesFolder = fileURLToPath(new URL("../../.cache/services/", import.meta.url));

/** The full path of a program on the path, or undefined. */
export function onPath(program: string): string | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Runs a program to its end; `problem` is its last line of complaint when it failed. */
export function runProgram(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { readonly output: string; readonly problem: string | undefined } {
  const result = spawnSync(program, args, {
    encoding: "utf8",
    env: { ...process.env, ...environment },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error !== undefined) return { output: "", problem: result.error.message };
  const lines = result.stderr.trim().split("\n");
  const problem = result.status === 0 ? undefined : `${program}: ${lines.at(-1) ?? "failed"}`;
  return { output: result.stdout, problem };
}
