import type { ObjectIndex } from "#index/object-index.ts";
import type { Report, ReportGrouping, ReportName, ReportValues } from "#model/report.ts";
import type { SqlRow } from "#model/sql.ts";

/** An object as `index query` tells it, with its copies. */
export interface Counted {
  readonly object: SqlRow;
  readonly copies: readonly SqlRow[];
}

/** What a backend is, as the test configured it. */
export interface Place {
  readonly name: string;
  readonly tier: string;
  readonly region: string | undefined;
  readonly perGibMonth: number;
  readonly perRead: number;
  readonly egressPerGib: number;
  readonly minimumBytes: number;
}

const dayMs = 86_400_000;

/** Everything there is, through `index query`. */
export async function everything(index: ObjectIndex): Promise<readonly Counted[]> {
  const ask = async (text: string): Promise<readonly SqlRow[]> => {
    const rows: SqlRow[] = [];
    for await (const batch of index.query(text)) {
      for (let at = 0; at < batch.rows; at += 1) {
        rows.push(
          Object.fromEntries(batch.names.map((name, of) => [name, batch.columns[of]?.[at]])),
        );
      }
    }
    return rows;
  };
  const copies = Map.groupBy(await ask("SELECT * FROM copy"), (copy) => copy["object_id"]);
  const objects = await ask("SELECT * FROM object");
  return objects.map((object) => ({ object, copies: copies.get(object["object_id"]) ?? [] }));
}

/** Counts a report one object and one copy at a time. Null is the group without a name. */
export function countReport(
  all: readonly Counted[],
  places: readonly Place[],
  { report, by }: { readonly report: ReportName; readonly by: ReportGrouping },
  moment: { readonly now: Date; readonly landmark: Date; readonly halfLifeMs: number },
): { readonly groups: Map<string | null, Record<string, number>>; totals: Record<string, number> } {
  const groups = new Map<string | null, Record<string, number>>();
  const totals: Record<string, number> = {};
  const placeNamed = (name: unknown) => places.find((place) => place.name === name) as Place;
  const labelOf = (copy: SqlRow): string => {
    const { name, tier, region } = placeNamed(copy["backend"]);
    return by === "tier" ? tier : by === "backend" ? name : (region ?? "none");
  };
  const byPlace = ["tier", "backend", "region"].includes(by);
  const add = (names: Iterable<string | null>, figures: Record<string, number>): void => {
    if (Object.keys(figures).length === 0) return;
    for (const into of [totals, ...[...new Set(names)].map((name) => groupOf(groups, name))]) {
      for (const [name, value] of Object.entries(figures)) into[name] = (into[name] ?? 0) + value;
    }
  };
  for (const one of all) {
    const own = (one.object[by] ?? null) as string | null;
    const present = one.copies.filter(({ state }) => state === "present");
    const labels = byPlace ? present.map(labelOf) : [own];
    add(labels.length === 0 ? [null] : labels, objectFigures(report, one, moment));
    for (const copy of one.copies) {
      const figures = copyFigures(report, copy, placeNamed(copy["backend"]));
      add([byPlace ? labelOf(copy) : own], figures);
    }
  }
  return { groups, totals };
}

function groupOf(groups: Map<string | null, Record<string, number>>, name: string | null) {
  const group = groups.get(name) ?? {};
  groups.set(name, group);
  return group;
}

function objectFigures(
  report: ReportName,
  { object, copies }: Counted,
  moment: { readonly now: Date; readonly landmark: Date; readonly halfLifeMs: number },
): Record<string, number> {
  const size = Number(object["size"]);
  const content = { objects: 1, content: size };
  const days = (from: unknown) => (moment.now.getTime() - (from as Date).getTime()) / dayMs;
  if (report === "usage") return content;
  if (report === "cost") return { objects: 1 };
  if (report === "age") {
    const age = days(object["created"]);
    const bands = [7, 30, 90, 365, Infinity];
    const band = ["below_7d", "below_30d", "below_90d", "below_1y", "above_1y"][
      bands.findIndex((days) => age < days)
    ] as string;
    return { ...content, [`age_${band}`]: 1, [`bytes_${band}`]: size };
  }
  if (report === "copies") {
    const verified = copies.filter(
      ({ state, confidence }) => state === "present" && confidence === "verified",
    ).length;
    return {
      objects: 1,
      [`verified_${Math.min(3, verified)}`]: 1,
      below_minimum: object["tombstoned"] === null && verified < 2 ? 1 : 0,
      held: object["held"] === true ? 1 : 0,
    };
  }
  const since = moment.now.getTime() - moment.landmark.getTime();
  const heat = Number(object["heat_weight"]) / 2 ** (since / moment.halfLifeMs);
  const idle = days(object["accessed"] ?? object["ingested"]);
  const band = heat < 0.1 ? "below_0_1" : heat < 1 ? "below_1" : heat < 10 ? "below_10" : "above";
  return {
    objects: 1,
    heat,
    reads: Number(object["reads"]),
    never_read: object["accessed"] === null ? 1 : 0,
    idle_30d: idle > 30 ? 1 : 0,
    [`heat_${band}`]: 1,
  };
}

function copyFigures(report: ReportName, copy: SqlRow, place: Place): Record<string, number> {
  const { state, confidence } = copy as { state: string; confidence: string };
  if (report === "copies") {
    return state === "present" ? { copies: 1, [confidence]: 1 } : { [state]: 1 };
  }
  if (state !== "present" || report === "age" || report === "heat") return {};
  const bytes = Number(copy["bytes"]);
  if (report === "usage") return { copies: 1, bytes, verified: confidence === "verified" ? 1 : 0 };
  const billed = Math.max(bytes, place.minimumBytes);
  return {
    copies: 1,
    bytes,
    billed,
    usd_month: (billed / 2 ** 30) * place.perGibMonth,
    usd_read: place.perRead + (bytes / 2 ** 30) * place.egressPerGib,
  };
}

/** Differences between a report and a count of it, in words; sums of fractions may round. */
export function differences(
  { rows, totals, columns }: Report,
  counted: ReturnType<typeof countReport>,
): readonly string[] {
  const found: string[] = [];
  const compare = (where: string, given: ReportValues, own: Record<string, number>): void => {
    for (const { name } of columns) {
      const [one, other] = [given[name] ?? NaN, own[name] ?? 0];
      const near = Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(other));
      if (!near) found.push(`${where} ${name}: ${one}, counted ${other}`);
    }
    for (const name of Object.keys(own)) {
      if (!columns.some((column) => column.name === name)) found.push(`${name} has no column`);
    }
  };
  for (const { group, values } of rows) {
    compare(group ?? "(none)", values, counted.groups.get(group ?? null) ?? {});
  }
  const named = new Set(rows.map(({ group }) => group ?? null));
  for (const name of counted.groups.keys()) if (!named.has(name)) found.push(`no row for ${name}`);
  compare("total", totals, counted.totals);
  return found;
}
