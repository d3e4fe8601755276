import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { runCommand } from "#jobs/acts/run-command.ts";

test("a command that succeeds and leaves a process behind leaves nothing open here", async () => {
  const before = pipes();
  const command = {
    argv: ["/bin/sh", "-c", "sleep 3 & exit 0"],
    directory: tmpdir(),
    environment: {},
    timeoutMs: 60_000,
  };
  const batch = { id: "1", rule: "care/load", run: "r", plan: "p", objects: [] };
  const { signal } = new AbortController();
  expect(await runCommand("load", command, batch, signal)).toBe("command load exited with 0");
  await expect.poll(pipes, { timeout: 1_500 }).toBe(before);
});

function pipes(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "PipeWrap").length;
}
