import {
  charted,
  countWhere,
  type Measure,
  ofCopies,
  ofObjects,
  sizeWhere,
} from "#engine/reports/measure.ts";
import type { ReportName } from "#model/report.ts";
import { doubleParameter } from "#policies/double-parameter.ts";
import { billedBytes, keepingCost, readingCost, sharesPerUsd } from "#model/cost-sql.ts";
import { sql, trusted } from "#policies/sql-fragment.ts";

const objects = ofObjects("objects", "count", "objects of the group", () => sql`1`);
const content = ofObjects("content", "bytes", "their content, however many copies", () => {
  return sql`o.size`;
});
const copies = ofCopies("copies", "count", "copies that are present", present("1"));
const bytes = ofCopies("bytes", "bytes", "bytes of these copies", present("c.bytes"));

const heat = ofObjects("heat", "heat", "their heat, added up", (context) => {
  const halfLives =
    (context.now.getTime() - context.heat.landmark.getTime()) / context.heat.halfLifeMs;
  return sql`o.heat_weight * ${doubleParameter(2 ** -halfLives)}`;
});

/** The columns of each report, in their order; the first one counts objects. */
export const reportMeasures: Readonly<Record<ReportName, readonly Measure[]>> = {
  usage: [
    objects,
    content,
    copies,
    charted(bytes),
    ofCopies("verified", "count", "those of the copies that are verified", exactly("verified")),
  ],
  heat: [
    objects,
    charted(heat),
    ofObjects("reads", "count", "reads since the index knows them", () => sql`o.reads`),
    countWhere("never_read", "missing(accessed)"),
    countWhere("idle_30d", "idle > 30d"),
    countWhere("heat_below_0_1", "heat < 0.1"),
    countWhere("heat_below_1", "heat >= 0.1 and heat < 1"),
    countWhere("heat_below_10", "heat >= 1 and heat < 10"),
    countWhere("heat_above", "heat >= 10"),
  ],
  copies: [
    objects,
    copies,
    ofCopies("verified", "count", "copies that are verified", exactly("verified")),
    ofCopies("sampled", "count", "copies that are sampled", exactly("sampled")),
    ofCopies("listed", "count", "copies that are only listed", exactly("listed")),
    ofCopies("claimed", "count", "copies that are only claimed", exactly("claimed")),
    ofCopies("lost", "count", "copies that were found gone", inState("lost")),
    ofCopies("corrupt", "count", "copies that were found damaged", inState("corrupt")),
    withVerified("verified_0", "= 0", "objects without a verified copy anywhere"),
    withVerified("verified_1", "= 1", "objects with one verified copy in all"),
    withVerified("verified_2", "= 2", "objects with two verified copies in all"),
    withVerified("verified_3", ">= 3", "objects with three or more verified copies in all"),
    ofObjects(
      "below_minimum",
      "count",
      "objects with fewer verified copies than `safety.minimumCopies`, unless they are to be deleted",
      ({ minimumCopies }) => sql`CASE WHEN o.tombstoned IS NULL
        AND bit_count(o.verified_mask) < ${minimumCopies}::BIGINT THEN 1 ELSE 0 END`,
    ),
    ofObjects("held", "count", "objects with a hold", () => sql`o.held::BIGINT`),
  ],
  cost: [
    objects,
    copies,
    bytes,
    ofCopies(
      "billed",
      "bytes",
      "these bytes, a copy counting at least the `minimumSize` of its backend",
      present(billedBytes("c.bytes", "p")),
    ),
    charted(
      ofCopies(
        "usd_month",
        "usd",
        "US dollars a month for keeping them, at `price.perGiBMonth`",
        present(inUsd(keepingCost("c.bytes", "p"))),
      ),
    ),
    ofCopies(
      "usd_read",
      "usd",
      "US dollars for reading each copy once: requests, egress and retrieval",
      present(inUsd(readingCost("c.bytes", "p"))),
    ),
  ],
  age: [objects, content, ...ageBands(countWhere, "age"), ...ageBands(sizeBand, "bytes")],
};

function inUsd(shares: string): string {
  return `${shares}::DOUBLE / ${sharesPerUsd}`;
}

function present(addend: string): string {
  return `CASE WHEN c.state = 'present' THEN ${addend} ELSE 0 END`;
}

function exactly(confidence: string): string {
  return `CASE WHEN c.state = 'present' AND c.confidence = '${confidence}' THEN 1 ELSE 0 END`;
}

function inState(state: string): string {
  return `CASE WHEN c.state = '${state}' THEN 1 ELSE 0 END`;
}

function withVerified(name: string, comparison: string, meaning: string): Measure {
  const condition = trusted(`bit_count(o.verified_mask) ${comparison}`);
  return charted(
    ofObjects(name, "count", meaning, () => sql`CASE WHEN ${condition} THEN 1 ELSE 0 END`),
  );
}

function ageBands(measure: typeof countWhere, prefix: string): readonly Measure[] {
  return [
    measure(`${prefix}_below_7d`, "age < 7d"),
    measure(`${prefix}_below_30d`, "age >= 7d and age < 30d"),
    measure(`${prefix}_below_90d`, "age >= 30d and age < 90d"),
    measure(`${prefix}_below_1y`, "age >= 90d and age < 1y"),
    measure(`${prefix}_above_1y`, "age >= 1y"),
  ];
}

function sizeBand(name: string, expression: string): Measure {
  return charted(sizeWhere(name, expression));
}
