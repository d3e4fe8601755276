import { wordNames } from "#policies/plan/match-words.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * An empty `plan_draft`: actions, with what their rows need of their candidates. `size` is the
 * object's in bytes, `writes` whether a copy is made that is not there yet, and words say which
 * rules match the object, where an action takes a copy: its row says what must hold afterwards.
 */
export async function beginDraft(planning: Planning): Promise<void> {
  const words = wordNames(planning.rules).map((word) => `, ${word} BIGINT`);
  await planning.run(
    trusted(`CREATE OR REPLACE TEMP TABLE plan_draft (step INTEGER,
    position BIGINT, part INTEGER, object_id BIGINT, verb VARCHAR, source INTEGER,
    target INTEGER, victim INTEGER, rule INTEGER, had INTEGER, depends BOOLEAN, size BIGINT,
    writes BOOLEAN${words.join("")})`),
  );
}

/** What an action is; columns that are left out are null, for `depends` and `writes` false. */
export interface DraftColumns {
  readonly rule: number;
  readonly position: SqlFragment;
  /** Where an action stands among those of its step about the same object; 0 when left out. */
  readonly part?: SqlFragment;
  readonly object_id: SqlFragment;
  readonly verb: SqlFragment;
  readonly source?: SqlFragment;
  readonly target?: SqlFragment;
  readonly victim?: SqlFragment;
  /** How many copies there are. */
  readonly had: SqlFragment;
  readonly depends?: SqlFragment;
  readonly size: SqlFragment;
  readonly writes?: SqlFragment;
  /** The table whose words say which rules match. */
  readonly words?: string;
}

/** Adds actions of one step. */
export async function addDrafts(
  planning: Planning,
  step: number,
  { rule, words, ...columns }: DraftColumns,
  from: SqlFragment,
): Promise<void> {
  const values: Readonly<Record<string, SqlFragment>> = {
    step: trusted(`${step}`),
    rule: trusted(`${rule}`),
    part: trusted("0"),
    depends: trusted("false"),
    writes: trusted("false"),
    ...columns,
    ...(words === undefined
      ? {}
      : Object.fromEntries(
          wordNames(planning.rules).map((word) => [word, trusted(`${words}.${word}`)]),
        )),
  };
  const named = Object.entries(values).map(([name, value]) => sql`${value} AS ${trusted(name)}`);
  await planning.run(sql`INSERT INTO plan_draft BY NAME
    SELECT ${joinFragments(named, ", ")} FROM ${from}`);
}

/**
 * Rows (`d`) that rest on other actions of the plan: removals, and moves whose own copy is not
 * enough. What goes in the same step as such a move counts on its copy, and so on it.
 */
export function restsOnOthers({ mayWait }: Planning): SqlFragment {
  if (!mayWait) return trusted("false");
  return trusted(`(d.depends OR (d.victim IS NOT NULL AND (d.object_id, d.step) IN (
    SELECT (m.object_id, m.step) FROM plan_draft m WHERE m.depends AND m.target IS NOT NULL)))`);
}
