import type { FailureFilter } from "#model/failure.ts";

/** What was typed to select failures. */
export interface FailureOptions {
  readonly run?: string | undefined;
  readonly policy?: string | undefined;
  readonly backend?: string | undefined;
  readonly cause?: string | undefined;
  readonly object?: string | undefined;
  readonly where?: string | undefined;
}

/** The filter of the engine: only what was given. Causes may be typed in small letters. */
export function failureFilter(options: FailureOptions): FailureFilter {
  const { run, policy, backend, cause, object, where } = options;
  return {
    ...(run === undefined ? {} : { run }),
    ...(policy === undefined ? {} : { policy }),
    ...(backend === undefined ? {} : { backend }),
    ...(cause === undefined ? {} : { cause: cause.toUpperCase() }),
    ...(object === undefined ? {} : { object }),
    ...(where === undefined ? {} : { where }),
  };
}
