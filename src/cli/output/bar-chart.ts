import { printable } from "#cli/output/text-table.ts";

/** One bar of one or several parts, and what stands behind it. */
export interface Bar {
  readonly label: string;
  readonly parts: readonly number[];
  readonly text: string;
}

const barMin = 10;
const barMax = 60;
/** The last cell of a bar is filled by eighths. */
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/** The fillings of parts, distinct without colour too. */
const fillings = ["█", "▓", "▒", "░", "·"];

/** Bars to one scale; several parts get fillings that a line below them explains. */
export function barChart(
  bars: readonly Bar[],
  partNames: readonly string[],
  terminalColumns: number,
): string {
  if (bars.length === 0) return "";
  const labels = bars.map(({ label }) => printable(label));
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const textWidth = Math.max(...bars.map(({ text }) => text.length));
  const room = terminalColumns - labelWidth - textWidth - 4;
  const width = Math.max(barMin, Math.min(barMax, room));
  const largest = Math.max(...bars.map(({ parts }) => sum(parts)));
  const lines = bars.map(({ parts, text }, at) => {
    const drawn = largest > 0 ? drawBar(parts, width / largest) : "";
    return `${(labels[at] ?? "").padEnd(labelWidth)}  ${drawn}${drawn === "" ? "" : "  "}${text}\n`;
  });
  if (partNames.length < 2) return lines.join("");
  const legend = partNames.map((name, part) => `${fillingOf(part)} ${name}`).join("  ");
  return `${lines.join("")}${" ".repeat(labelWidth)}  ${legend}\n`;
}

function drawBar(parts: readonly number[], scale: number): string {
  if (parts.length === 1) {
    const cells = sum(parts) * scale;
    const whole = Math.floor(cells + 1e-9);
    const rest = eighths[Math.floor((cells - whole) * 8)] ?? "";
    // What is there is seen, however little of it.
    return "█".repeat(whole) + rest || (cells > 0 ? "▏" : "");
  }
  // Each part ends where the sum up to it ends, so that roundings do not add up.
  let before = 0;
  let drawn = "";
  for (const [part, value] of parts.entries()) {
    const from = Math.round(before * scale);
    before += value;
    drawn += fillingOf(part).repeat(Math.round(before * scale) - from);
  }
  return drawn;
}

function fillingOf(part: number): string {
  return fillings[part % fillings.length] ?? "█";
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
