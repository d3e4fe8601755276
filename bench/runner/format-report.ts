import { textTable } from "#cli/output/text-table.ts";
import { formatSize } from "#model/quantity.ts";
import { type Measurement, meetsGoal, type Unit } from "./benchmark.ts";
import { type Growth, growthOf } from "./growth-of.ts";
import type { MeasuredGoal } from "./goals.ts";
import type { MemoryReport, SizeReport } from "./measure-size.ts";

/** What one size gave, for people. */
export function formatSizeReport(name: string, report: SizeReport): string {
  const rows = report.measurements.map((one) => [
    one.what,
    formatFigure(one.ours, one.unit),
    one.processor === undefined ? "" : formatFigure(one.processor.ours, one.unit),
    formatFigure(one.peer, one.unit),
    one.processor === undefined ? "" : formatFigure(one.processor.peer, one.unit),
    one.peerName,
    formatRatio(one.ratio),
    one.processor === undefined ? "" : formatRatio(one.processor.ratio),
    goalWords(one),
  ]);
  const objects = report.objects.toLocaleString("en-US");
  const rounds = report.rounds === 1 ? "one round" : `${report.rounds} rounds`;
  return (
    `${name}, ${objects} objects, ${rounds}\n${textTable(columns, rows)}` +
    `${memoryWords(report.memory)}\n${goalsAreEarly(report) ? earlyGoals : ""}`
  );
}

/** With fewer objects, what a thing costs that does not grow hides what the goals are about. */
const goalsFrom = 1_000_000;
const earlyGoals = "The goals are meant for a million objects and more.\n";

function goalsAreEarly({ objects, measurements }: SizeReport): boolean {
  return objects < goalsFrom && measurements.some(({ goal }) => goal !== undefined);
}

const right = true;
const columns = [
  { title: "what" },
  { title: "ours", right },
  { title: "processor", right },
  { title: "peer", right },
  { title: "processor", right },
  { title: "which is" },
  { title: "ratio", right },
  { title: "of processor", right },
  { title: "goal" },
];

/** All goals at one size, for people. */
export function formatGoals(objects: number, measured: readonly MeasuredGoal[]): string {
  const inOrder = measured.toSorted((one, other) => one.number - other.number);
  const rows = inOrder.map(({ number, benchmark, measured: one }) => [
    String(number),
    `${benchmark}: ${one.what}`,
    formatFigure(one.ours, one.unit),
    formatFigure(one.peer, one.unit),
    one.peerName,
    formatRatio(one.ratio),
    one.processor === undefined ? "" : formatRatio(one.processor.ratio),
    goalWords(one),
  ]);
  const early = objects < goalsFrom ? earlyGoals : "";
  return (
    `goals, ${objects.toLocaleString("en-US")} objects\n${textTable(goalColumns, rows)}` +
    `An index is there already where a published claim has to read a file system.\n${early}`
  );
}

const goalColumns = [
  { title: "goal", right },
  { title: "what" },
  { title: "ours", right },
  { title: "other side", right },
  { title: "which is" },
  { title: "ratio", right },
  { title: "of processor", right },
  { title: "met" },
];

/** How costs grow from one size to the next; empty for a single size. */
export function formatGrowth(sizes: readonly SizeReport[]): string {
  const growth = growthOf(sizes);
  if (growth.length === 0) return "";
  const rows = growth.map((one) => [
    one.what,
    `${formatCount(one.from)} to ${formatCount(one.to)}`,
    ...exponents(one),
  ]);
  const titles = ["ours", "peer", "ours, processor", "peer, processor"];
  return (
    "growth: a cost grows with the objects to the power of this\n" +
    textTable(
      [{ title: "what" }, { title: "objects" }, ...titles.map((title) => ({ title, right }))],
      rows,
    )
  );
}

function exponents({ ours, peer, processor }: Growth): readonly string[] {
  return [ours, peer, processor?.ours, processor?.peer].map((value) => value?.toFixed(2) ?? "");
}

function goalWords(measurement: Measurement): string {
  const { goal, better, ratio, processor, unmet } = measurement;
  if (goal === undefined) return "";
  const bound = `${better === "less" ? "<=" : ">="} ${goal}`;
  if (meetsGoal(measurement, ratio)) return `${bound}, met`;
  if (unmet !== undefined) return `${bound}, missed (${unmet})`;
  const isMetByProcessor = processor && meetsGoal(measurement, processor.ratio);
  return `${bound}, missed${isMetByProcessor ? " (met by processor time)" : ""}`;
}

function memoryWords(report: MemoryReport): string {
  const { peakBytes, baseBytes, duckdbLimitBytes, withinLimit, apart } = report;
  const sides =
    apart === undefined
      ? ""
      : `; above the program, each alone: ours ${formatSize(apart.oursBytes)}` +
        `${apart.oursBytes <= duckdbLimitBytes ? "" : " (NOT kept)"}, ` +
        `the other side ${formatSize(apart.peerBytes)}`;
  return (
    `memory at most ${formatSize(peakBytes)}, of it ${formatSize(baseBytes)} for the program; ` +
    `allowed were ${formatSize(duckdbLimitBytes)}: ${withinLimit ? "kept" : "NOT kept"}${sides}`
  );
}

function formatFigure(value: number, unit: Unit): string {
  if (unit === "B") return formatSize(Math.round(value));
  if (unit === "s") {
    return value < 1 ? `${(value * 1_000).toPrecision(3)} ms` : `${value.toPrecision(3)} s`;
  }
  return `${Math.round(value).toLocaleString("en-US")} ${unit}`;
}

function formatRatio(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(2) : ratio.toPrecision(3)}x`;
}

function formatCount(count: number): string {
  return count.toExponential().replace("e+", "e");
}
