import type { Config } from "#config.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { CommandIo } from "#cli/command-io.ts";
import { nodeLog } from "#cli/node-log.ts";

/** Where an engine tells of what goes wrong and is retried or worked around. */
export interface TroubleLog {
  readonly report: (error: EngineError) => void;
  /** From here on connections break because we end them: that is told at level debug only. */
  closing(): void;
  /** Lines say from here on in which span they were written (`trace_id`, `span_id`). */
  nameTrace(active: TraceNames): void;
}

type TraceNames = () => Readonly<Record<string, string>>;

/** A trouble log in the form that the configuration asks for (`log.level`, `log.format`). */
export function troubleLog(config: Config, io: CommandIo): TroubleLog {
  const log = nodeLog(config, io);
  let isClosing = false;
  let trace: TraceNames | undefined;
  return {
    report: (error) => {
      const { code, message, hint } = error;
      const level = isClosing ? "debug" : code === "INTERNAL" ? "error" : "warn";
      log[level]({ code, ...(hint === undefined ? {} : { hint }), ...trace?.() }, message);
    },
    closing: () => {
      isClosing = true;
    },
    nameTrace: (active) => {
      trace = active;
    },
  };
}
