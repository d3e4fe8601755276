import type { Diagnostic } from "#model/diagnostic.ts";
import { nameHint } from "#model/name-hint.ts";
import type { Policy } from "#policies/policy.ts";

/** Warns of an approval that nobody could give, since no configured role has the name. */
export function checkApprovers(
  { approval, places }: Policy,
  roles: readonly string[] | undefined,
): readonly Diagnostic[] {
  const role = /^role (\S+)$/.exec(approval?.terms.from ?? "")?.[1];
  if (role === undefined || roles === undefined || roles.includes(role)) return [];
  const message = `no role "${role}" is configured: nobody could approve`;
  const hint =
    roles.length === 0 ? "set `roles:` in thermocline.yaml" : nameHint(role, roles, "roles");
  const range = places.value(["approval", "from"]);
  return [places.diagnostic(range, { severity: "warning", code: "W0415", message, hint })];
}
