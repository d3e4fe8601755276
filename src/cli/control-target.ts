import type { ControlScope, ControlTarget } from "#model/control.ts";
import { EngineError } from "#model/engine-error.ts";

/** What was typed to say what a control is about. */
export interface TargetWords {
  readonly policy?: string | undefined;
  readonly backend?: string | undefined;
  readonly node?: string | undefined;
  readonly all?: true | undefined;
}

/** Exactly one target: a run, or one of the options. */
export function controlTarget(run: string | undefined, words: TargetWords): ControlTarget {
  const given: readonly (readonly [ControlScope, string | undefined])[] = [
    ["run", run],
    ["policy", words.policy],
    ["backend", words.backend],
    ["node", words.node],
    ["everything", words.all === true ? "" : undefined],
  ];
  const targets = given.flatMap(([scope, name]) => (name === undefined ? [] : [{ scope, name }]));
  const [only] = targets;
  if (only !== undefined && targets.length === 1) return only;
  throw new EngineError(
    "USAGE",
    `${targets.length === 0 ? "nothing" : "more than one thing"} named`,
    {
      hint: "name one: a run, --policy, --backend, --node, or --all",
    },
  );
}
