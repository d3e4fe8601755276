import type { Check } from "#model/check.ts";
import type { BackendReport } from "#model/engine-api.ts";

/** As an older controller says it too, which tells no troubles. */
type Report = Pick<BackendReport, "name" | "status" | "hint"> &
  Partial<Pick<BackendReport, "troubles">>;

/** How a backend answers, and a line for each thing that stands in the way of work there. */
export function checkBackend({ name, status, hint, troubles }: Report): readonly Check[] {
  const title = `backend ${name}`;
  const more = (troubles ?? []).map((trouble): Check => ({ name: title, ...withHint(trouble) }));
  if (typeof status === "string") {
    return [{ name: title, ...withHint({ state: "failed", message: status, hint }) }, ...more];
  }
  const rights = status.writable ? "readable and writable" : "read-only";
  return [{ name: title, state: "ok", message: `${status.server}, ${rights}` }, ...more];
}

function withHint({
  hint,
  ...rest
}: Omit<Check, "name" | "hint"> & { readonly hint?: string | undefined }): Omit<Check, "name"> {
  return hint === undefined ? rest : { ...rest, hint };
}
