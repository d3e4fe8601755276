import { EngineError } from "#model/engine-error.ts";

/** Where spans and metrics are sent; undefined for what is not. */
export interface TelemetryTargets {
  readonly traces: string | undefined;
  readonly metrics: string | undefined;
}

/**
 * The OTLP addresses that the standard environment variables or else the configuration name.
 * Nothing is sent unless one of them does.
 */
export function telemetryTargets(
  endpoint: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): TelemetryTargets {
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") {
    return { traces: undefined, metrics: undefined };
  }
  const base = env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? endpoint;
  const target = (signal: "traces" | "metrics"): string | undefined => {
    const variable = signal.toUpperCase();
    if (env[`OTEL_${variable}_EXPORTER`] === "none") return undefined;
    const own = env[`OTEL_EXPORTER_OTLP_${variable}_ENDPOINT`];
    if (own !== undefined && own !== "") return checked(own);
    if (base === undefined || base === "") return undefined;
    return checked(`${base.replace(/\/+$/, "")}/v1/${signal}`);
  };
  return { traces: target("traces"), metrics: target("metrics") };
}

function checked(address: string): string {
  if (/^https?:$/.test(URL.parse(address)?.protocol ?? "")) return address;
  throw new EngineError("USAGE", `"${address}" is no address of an OTLP receiver`, {
    hint: "write http://host:4318; telemetry is sent as OTLP over HTTP",
  });
}
