import type { StepContext } from "#jobs/step-context.ts";
import type { EngineError } from "#model/engine-error.ts";

/** Notes how long one action of a step took on a backend, however it ended. */
export async function measuredAction<Result>(
  { data, measurements }: StepContext,
  backend: string,
  act: () => Promise<Result>,
): Promise<Result> {
  const started = performance.now();
  try {
    return await act();
  } finally {
    const seconds = (performance.now() - started) / 1_000;
    const labels = { action: data.verb, backend };
    measurements.observe("thermocline_action_duration_seconds", labels, seconds);
  }
}

/** Notes the same for the actions that end together in a group: each took as long as all did. */
export async function measuredGroup(
  { data, measurements }: StepContext,
  backend: string,
  act: () => Promise<number>,
): Promise<number> {
  const started = performance.now();
  const ended = await act();
  const seconds = (performance.now() - started) / 1_000;
  const labels = { action: data.verb, backend };
  for (let at = 0; at < ended; at += 1) {
    measurements.observe("thermocline_action_duration_seconds", labels, seconds);
  }
  return ended;
}

/** The options of `runWithRetries` for an action on a backend: retries are counted. */
export function countedRetries(
  { data, measurements, signal }: StepContext,
  backend: string,
): { readonly signal: AbortSignal; readonly onRetry: (error: EngineError) => void } {
  const onRetry = ({ code }: EngineError): void => {
    const labels = { action: data.verb, backend, class: code };
    measurements.add("thermocline_action_retries_total", labels);
  };
  return { signal, onRetry };
}
