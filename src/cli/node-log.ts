import { pino } from "pino";
import type { Logger } from "pino";
import type { Config } from "#config.ts";
import type { CommandIo } from "#cli/command-io.ts";

/** Fields that never reach a log, wherever they stand. */
const redacted = ["token", "password", "secret", "authorization", "secretAccessKey"];

/**
 * What a node says while it runs, on standard error: JSON lines with ISO times and levels as
 * words, or plain lines on a terminal.
 */
export function nodeLog(config: Config, io: CommandIo): Logger {
  const format = config.log.format ?? (io.stderr.isTTY ? "pretty" : "json");
  return pino(
    {
      level: config.log.level,
      base: { node: config.node.name },
      messageKey: "msg",
      timestamp: () => `,"time":"${io.clock.now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redacted.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
    },
    { write: (line: string) => io.stderr.write(format === "json" ? line : plain(line)) },
  );
}

interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly msg?: string;
  readonly node?: string;
  readonly [field: string]: unknown;
}

/** `12:30:05 warn  backend cold does not answer  code=UNAVAILABLE`. */
function plain(line: string): string {
  const { time, level, msg = "", node: _node, ...fields } = JSON.parse(line) as LogLine;
  const rest = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${name}=${text}`;
  });
  return `${[time.slice(11, 19), level.padEnd(5), msg, ...rest].join(" ").trimEnd()}\n`;
}
