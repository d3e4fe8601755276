import type { Backend } from "#model/backend.ts";

/** The value of the attribute that copies spread over; backends without one share "". */
export function spreadValue(backend: Backend, per: string): string {
  if (per.startsWith("labels.")) return backend.labels[per.slice("labels.".length)] ?? "";
  if (per === "region") return backend.region ?? "";
  return per === "tier" ? backend.tier : backend.driver;
}
