import { formatMoney } from "#model/money.ts";
import type { CostRefusal } from "#model/plan.ts";
import { formatDuration } from "#model/quantity.ts";

/** Why a move is not worth it: what it costs, what it saves, and when that would be even. */
export function breakEvenWords({ now, month, horizonMs }: Omit<CostRefusal, "rule">): string {
  const cost = `it would cost ${formatMoney(now)} now`;
  const horizon = `horizon ${formatDuration(horizonMs)}`;
  if (!month.startsWith("-")) {
    return month === "0"
      ? `${cost} and save nothing; ${horizon}`
      : `${cost} and ${formatMoney(month)} a month more; ${horizon}`;
  }
  const saved = month.slice(1);
  const months = Math.ceil(Number(now) / Number(saved));
  const even = `even after ${months} ${months === 1 ? "month" : "months"}`;
  return `${cost} and save ${formatMoney(saved)} a month: ${even}; ${horizon}`;
}
