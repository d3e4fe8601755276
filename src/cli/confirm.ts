import { EngineError } from "#model/engine-error.ts";
import type { CommandIo } from "#cli/command-io.ts";

/**
 * Asks on a terminal and takes only the word "yes" for it. Without a terminal, or with CI set,
 * nobody can answer: that is a usage error which names `--yes`.
 */
export async function confirm(io: CommandIo, question: string): Promise<boolean> {
  const isCi = (io.env["CI"] ?? "") !== "" && io.env["CI"] !== "false";
  if (isCi || io.stdin.isTTY !== true) {
    throw new EngineError("USAGE", "nobody can be asked here: standard input is no terminal", {
      hint: "read the plan above, then run the command again with --yes",
    });
  }
  io.stderr.write(question);
  for await (const chunk of io.stdin) {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
    return text.trim().toLowerCase() === "yes";
  }
  return false;
}
