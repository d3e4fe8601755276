import type { EngineContext } from "#engine/context.ts";
import type { BackendHealth } from "#model/backend-health.ts";
import { resumeCommand, targetWords } from "#model/control.ts";
import type { ReadSession, SqlRow } from "#model/sql.ts";
import type { AnnouncedAction } from "#policies/explain/announced-action.ts";
import { sql, toStatement } from "#policies/sql-fragment.ts";

/** Where obstacles are known: the index, and the circuits of the backends. */
export interface ObstacleSource {
  readonly index: {
    readonly controls: Pick<EngineContext["index"]["controls"], "pauses">;
    readonly failures: Pick<EngineContext["index"]["failures"], "suspensions">;
  };
  readonly watch: Pick<EngineContext["watch"], "healthOf">;
}

/**
 * What keeps a run from doing what was announced for an object, a line each, with the command that
 * shows more: the object failed, the same fails for others on that backend, the policy is
 * suspended, something is paused, a backend is out, and then whether another is read instead. What
 * is quarantined, the planner says itself.
 */
export async function actionObstacles(
  { index, watch }: ObstacleSource,
  session: ReadSession,
  objectId: number,
  actions: readonly AnnouncedAction[],
): Promise<readonly string[]> {
  const own = await ownFailure(session, objectId);
  if (actions.length === 0) return own;
  const policies = new Set(actions.map(({ policy }) => policy));
  const halves = halvesOf(actions);
  const backends = new Set(
    actions.flatMap(({ source, target, victim }) => [source, target, victim]),
  );
  const suspensions = (await index.failures.suspensions()).filter(({ policy }) =>
    policies.has(policy),
  );
  const pauses = (await index.controls.pauses()).filter(
    ({ scope, name }) =>
      scope === "everything" ||
      (scope === "policy" && policies.has(name)) ||
      (scope === "backend" && backends.has(name)),
  );
  const others: string[] = [];
  for (const half of halves) others.push(...(await othersFailure(session, objectId, half)));
  return [
    ...own,
    ...others,
    ...suspensions.map(
      ({ policy, since, message }) =>
        `suspended: policy ${policy} since ${since}: ${message}; see thermocline suspensions ls`,
    ),
    ...pauses.map(
      (pause) =>
        `paused: ${targetWords(pause)} since ${pause.since}${pause.reason === "" ? "" : ` (${pause.reason})`}; ` +
        `see thermocline pauses; to end it: ${resumeCommand(pause)}`,
    ),
    ...halves.flatMap((half) => circuitWords(half, watch)),
    ...new Set(actions.flatMap((action) => sourceWords(action, watch))),
  ];
}

/** One half of an action: making the copy at its target, or removing the one at its victim. */
interface Half {
  readonly step: "copy" | "removal";
  readonly backend: string;
}

function halvesOf(actions: readonly AnnouncedAction[]): readonly Half[] {
  const halves = actions.flatMap(({ target, victim }): readonly Half[] => [
    ...(target === null ? [] : [{ step: "copy", backend: target } as const]),
    ...(victim === null ? [] : [{ step: "removal", backend: victim } as const]),
  ]);
  return [...new Map(halves.map((half) => [`${half.step} ${half.backend}`, half])).values()];
}

async function ownFailure(session: ReadSession, objectId: number): Promise<readonly string[]> {
  const rows = await session.rows(
    toStatement(sql`SELECT f.step, f.backend, f.code, f.message, f.failures,
      f.last_at, f.run_id, f.verb, f.rule, count(*) OVER () AS alike
    FROM failing f WHERE f.object_id = ${objectId}::BIGINT AND f.quarantined_at IS NULL
    ORDER BY f.last_at DESC, f.run_id DESC, f.backend, f.step LIMIT 1`),
  );
  return rows.map((row) => {
    const times = Number(row["failures"]) === 1 ? "" : ` ${Number(row["failures"])} times in a row`;
    const more = Number(row["alike"]) - 1;
    const rest = more === 0 ? "" : `; and ${more} more of its actions`;
    return (
      `failing: ${whatFailed(row)} failed${times}, last at ${timeOf(row)} in ` +
      `${String(row["run_id"])}, with ${causeOf(row)}${rest}; ` +
      `see thermocline failures --object ${objectId}`
    );
  });
}

async function othersFailure(
  session: ReadSession,
  objectId: number,
  { step, backend }: Half,
): Promise<readonly string[]> {
  const rows = await session.rows(
    toStatement(sql`SELECT count(*) AS objects,
      max_by(f.code, (f.last_at, f.object_id)) AS code,
      max_by(f.message, (f.last_at, f.object_id)) AS message
    FROM failing f WHERE f.object_id <> ${objectId}::BIGINT AND f.step = ${step}
      AND f.backend = ${backend}`),
  );
  return rows.flatMap((row) => {
    const objects = Number(row["objects"]);
    if (objects === 0) return [];
    const what = step === "copy" ? `copies to ${backend}` : `removals from ${backend}`;
    const whose = objects === 1 ? "another object" : `${objects} other objects`;
    return [
      `failing for others: ${what} of ${whose}, last with ${causeOf(row)}; ` +
        `see thermocline failures --backend ${backend}`,
    ];
  });
}

/**
 * A source that is out holds nothing up where another copy can be read. Of an action that waits for
 * its target or its victim anyway, nothing more is said.
 */
function sourceWords(
  { verb, source, target, victim, otherSources }: AnnouncedAction,
  watch: ObstacleSource["watch"],
): readonly string[] {
  const isOut = (backend: string) => watch.healthOf(backend)?.state === "out";
  const health = source === null ? undefined : watch.healthOf(source);
  if (health?.state !== "out") return [];
  if ([target, victim].some((backend) => backend !== null && isOut(backend))) return [];
  const others = otherSources.filter((backend) => !isOut(backend));
  const then =
    // What is to be checked is that very copy.
    verb === "verify"
      ? ""
      : others.length > 0
        ? `: it is read from ${others.join(" or ")} instead`
        : ", and no other backend that answers has a copy: it waits for this one";
  return [`${stateWords(health)}${then}; see thermocline backends`];
}

function stateWords({ state, backend, since, message }: BackendHealth): string {
  return `${state}: backend ${backend} since ${since}${message === undefined ? "" : ` (${message})`}`;
}

function circuitWords({ step, backend }: Half, watch: ObstacleSource["watch"]): readonly string[] {
  const health = watch.healthOf(backend);
  if (health === undefined || health.state === "up" || health.state === "trial") return [];
  // A full backend takes no copies; what it holds can be removed.
  if (health.state !== "out" && step === "removal") return [];
  return [`${stateWords(health)}; see thermocline backends`];
}

function whatFailed({ step, backend, verb, rule }: SqlRow): string {
  if (step === "copy") return `the copy to ${String(backend)}`;
  if (step === "removal") return `the removal from ${String(backend)}`;
  return `${String(verb)} for ${String(rule)}`;
}

function causeOf({ code, message }: SqlRow): string {
  return `${String(code)} (${String(message)})`;
}

function timeOf({ last_at: at }: SqlRow): string {
  return at instanceof Date ? at.toISOString() : String(at);
}
