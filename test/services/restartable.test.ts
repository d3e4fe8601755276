import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { startServer } from "../../scripts/services/server-process.ts";
import { Restartable } from "./restartable.ts";

const idle = "setInterval(() => {}, 1000); console.log('ready')";

it("starts a server again whose end is not waited for, and none that runs", async () => {
  const running = new Restartable(() =>
    startServer(process.execPath, ["--eval", idle], {
      folder: tmpdir(),
      says: "ready",
      answers: () => Promise.resolve(true),
    }),
  );
  try {
    expect(() => running.server).toThrow("was not started yet");
    await running.startAgain();
    const { pid } = running.server;
    const ending = running.kill();
    await running.startAgain();
    await ending;
    const again = running.server.pid;
    expect(again).not.toBe(pid);
    expect(running.server.hasEnded()).toBe(false);
    await running.startAgain();
    expect(running.server.pid).toBe(again);
  } finally {
    await running.stop();
  }
  expect(running.server.hasEnded()).toBe(true);
});
