import { formatMoney, type Usd } from "#model/money.ts";
import type { Cost } from "#model/plan.ts";

/** `0.94 USD now, then 0.19 USD a month less`. */
export function costWords({ now, month }: Cost): string {
  if (now === "0" && month === "0") return "nothing, now or a month";
  const direction = month.startsWith("-") ? "less" : "more";
  const change = `${formatMoney(month.replace("-", ""))} a month ${direction}`;
  return `${formatMoney(now)} now, then ${month === "0" ? "as much a month as before" : change}`;
}

/** `+0.10 USD`: the sign says that it is a change. */
export function costChange(usd: Usd): string {
  return `${usd === "0" || usd.startsWith("-") ? "" : "+"}${formatMoney(usd)}`;
}
