import { hostname, userInfo } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { CommandIo, Clock, Sink } from "#cli/command-io.ts";

/** The real process as commands see it. Installs handlers for signals and broken pipes. */
export function processIo(): CommandIo {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    // The first one asks for a clean end; whoever sends a second one wants out at once.
    if (stop.signal.aborted) process.exit(name === "SIGTERM" ? 143 : 130);
    stop.abort(name);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // `thermocline objects ls | head`: the reader has seen enough, which is no error.
      if (error.code !== "EPIPE") throw error;
      if (!stop.signal.aborted) stop.abort("EPIPE");
    });
  }
  return {
    stdout: sinkOf(process.stdout),
    stderr: sinkOf(process.stderr),
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    hostname: hostname(),
    user: userName(),
    clock: systemClock,
    signal: stop.signal,
  };
}

/** In a container the user may have a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  return {
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns ?? 80;
    },
    write: (data) => {
      if (!stream.destroyed) stream.write(data);
    },
    drain: () => {
      if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      stream.write("", () => resolve());
      return promise;
    },
  };
}

const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  },
};
