import type { CopyRequirement, CopySpread } from "#model/plan.ts";
import type { ModelBackend } from "./model-backend.ts";

/** What is missing of a spread after a removal, of what there was of it at the start. */
export function lostSpread(
  { copies, spread }: CopyRequirement & { readonly spread: CopySpread },
  names: readonly string[],
  before: readonly ModelBackend[],
  left: readonly ModelBackend[],
): string | undefined {
  const valueOf = ({ name }: ModelBackend): number =>
    spread.groups.findIndex(
      (group) => ((BigInt(group) >> BigInt(names.indexOf(name))) & 1n) === 1n,
    );
  const values = (of: readonly ModelBackend[]): number =>
    Math.max(...waysToName(of).map((each) => new Set(each.map(valueOf)).size));
  const storages = Math.max(...waysToName(left).map((each) => each.length));
  if (storages < copies) return `${storages} copies are left, ${copies} must be`;
  const wanted = Math.min(spread.values, values(before));
  const found = values(left);
  return found < wanted ? `copies lie in ${found} values, ${wanted} must be` : undefined;
}

/** Each storage once, by any of its names. */
function waysToName(backends: readonly ModelBackend[]): readonly (readonly ModelBackend[])[] {
  const [first, ...rest] = backends;
  if (first === undefined) return [[]];
  const names = backends.filter((one) => one.isStorageOf(first));
  const others = rest.filter((one) => !one.isStorageOf(first));
  return waysToName(others).flatMap((each) => names.map((name) => [name, ...each]));
}
