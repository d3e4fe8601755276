import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../src/cli/thermocline.ts", import.meta.url));

/** What a command of a page said, and how it ended. */
export interface Typed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder in which the commands of a page are typed, with `thermocline` on the path. */
export class TypedPage implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<TypedPage> {
    const page = new TypedPage(await mkdtemp(join(tmpdir(), "thermocline-docs-")));
    // As root the embedded queue runs as another user; where that user cannot enter, it would
    // put its files outside of this folder, and leave them there.
    await chmod(page.folder, 0o755);
    const shim = `#!/bin/sh\nexec "${process.execPath}" "${entry}" "$@"\n`;
    await page.write("bin/thermocline", shim);
    await chmod(join(page.folder, "bin/thermocline"), 0o755);
    return page;
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, file)), { recursive: true });
    await writeFile(join(this.folder, file), text);
  }

  /** Runs a block of commands that stops at the first failure; never throws for one. */
  async type(script: string, folder = "."): Promise<Typed> {
    const { env } = process;
    const path = [join(this.folder, "bin"), dirname(process.execPath), env["PATH"]].join(delimiter);
    const options = {
      cwd: join(this.folder, folder),
      env: { ...env, CI: "1", NO_COLOR: "1", PATH: path },
    };
    return new Promise((resolve) => {
      execFile("sh", ["-euc", script], options, (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error === null ? 0 : -1;
        resolve({ code, stdout, stderr });
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
