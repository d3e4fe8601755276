import { formatMoney, nanoUsd, usdText } from "#model/money.ts";
import type { CostRefusal } from "#model/plan.ts";
import { formatDuration } from "#model/quantity.ts";

/** Why a move is not worth it: what it costs, what it saves, and when that would be even. */
export function breakEvenWords(refusal: Omit<CostRefusal, "rule">): string {
  const { now, month, horizonMs } = refusal;
  const cost = `it would cost ${formatMoney(now)} now${partsOf(refusal)}`;
  const horizon = `horizon ${formatDuration(horizonMs)}`;
  const storage = storageOf(refusal);
  if (!month.startsWith("-")) {
    return month === "0"
      ? `${cost} and save nothing on storage${storage}; ${horizon}`
      : `${cost} and ${formatMoney(month)} a month more for storage${storage}; ${horizon}`;
  }
  const saved = month.slice(1);
  const months = Math.ceil(Number(now) / Number(saved));
  const even = `even after ${months} ${months === 1 ? "month" : "months"}`;
  return `${cost} and save ${formatMoney(saved)} a month on storage${storage}: ${even}; ${horizon}`;
}

/** What has to be paid at once consists of two things; which of them there are. */
function partsOf({ now, early }: Pick<CostRefusal, "now" | "early">): string {
  if (early === "0") return " for requests and transfer";
  if (early === now) return " for what is left of minimum durations";
  const copying = usdText(nanoUsd(Number(now)) - nanoUsd(Number(early)));
  return ` (${formatMoney(copying)} for requests and transfer, ${formatMoney(early)} for what is left of minimum durations)`;
}

/** A card that charges small objects as larger ones makes storage dearer than its price says. */
function storageOf({ atMinimumSize: objects }: Pick<CostRefusal, "atMinimumSize">): string {
  if (objects === 0) return "";
  const smaller = objects === 1 ? "1 object is smaller" : `${objects} objects are smaller`;
  return ` (${smaller} than the minimumSize of the target, and charged at that)`;
}
