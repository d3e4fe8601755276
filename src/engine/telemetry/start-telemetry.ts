import type { Config } from "#config.ts";
import { telemetryTargets } from "#engine/telemetry/telemetry-targets.ts";
import type { QueueTelemetry } from "#jobs/queue-store.ts";
import type { EngineError } from "#model/engine-error.ts";

export interface TelemetryOptions {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly onError: (error: EngineError) => void;
}

/** What watches this process; closing it sends what is left. */
export interface Telemetry extends QueueTelemetry {
  close(): Promise<void>;
}

/** Starts OpenTelemetry where it is asked for; else not even its code is loaded. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry | undefined> {
  const targets = telemetryTargets(options.config.telemetry.endpoint, options.env);
  if (targets.traces === undefined && targets.metrics === undefined) return undefined;
  const { openTelemetry } = await import("#engine/telemetry/open-telemetry.ts");
  return openTelemetry(targets, options);
}
