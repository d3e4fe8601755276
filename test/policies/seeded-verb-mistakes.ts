/** What authors get wrong, with where the engine must point and what it must say. */
export interface SeededMistake {
  readonly what: string;
  readonly text: string;
  /** `line:column code`. */
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

export function policy(rules: string, more = ""): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
${more}rules:
${rules}`;
}

export const rule = (body: string, more = ""): string => policy(`  - name: r\n    ${body}\n`, more);

/** Of what goes beyond the plain verbs: groups, times, marks. */
export const seededVerbMistakes: readonly SeededMistake[] = [
  {
    what: "a group of a rule that has no use for it",
    text: rule("where: held\n    group: collection\n    hold: true"),
    at: "7:5 E0171",
    message: "hold protects each object by itself",
    hint: "remove group:",
  },
  {
    what: "a verified deal",
    text: rule("where: held\n    deal: {duration: 540d, verified: true}"),
    at: "7:38 E0174",
    message: "since network version 29 (FIP-0118) there is no DataCap",
    hint: "remove verified:",
  },
  {
    what: "an end date for what has none",
    text: rule("where: held\n    deal: {product: pdp, duration: 540d}"),
    at: "7:36 E0174",
    message: "pdp has no end date, it lasts for as long as it is paid",
    hint: "write runway: and topUpBefore:, or product: porep",
  },
  {
    what: "a runway for what is paid for its whole time",
    text: rule("where: held\n    deal: {duration: 540d, runway: 60d}"),
    at: "7:36 E0174",
    message: "a porep deal is paid for its whole time",
    hint: "remove it, or write product: pdp",
  },
  {
    what: "a sealed deal without a time",
    text: rule("where: held\n    deal: {product: porep}"),
    at: "7:21 E0174",
    message: "a porep deal has a fixed time",
    hint: "add duration: 540d",
  },
  {
    what: "a deal that is too short for the network",
    text: rule("where: held\n    deal: {duration: 90d}"),
    at: "7:22 E0174",
    message: "a deal lasts 180 to 1278 days on the network",
    hint: "write 180d to 1278d",
  },
  {
    what: "a renewal before the deal",
    text: rule("where: held\n    ensure: {copies: 1, deal: {duration: 180d, renewBefore: 200d}}"),
    at: "7:61 E0174",
    message: "it would be renewed before it begins",
    hint: "write less than duration:",
  },
  {
    what: "a price in another unit",
    text: rule("where: held\n    deal: {duration: 540d, maxPrice: 2 USD}"),
    at: "7:38 E0106",
    message: "is not a price for size and time",
    hint: "write 0.10 USD/GiB/month",
  },
  {
    what: "a time of nothing",
    text: rule("where: held\n    ensure: {copies: 1, for: 0s}"),
    at: "7:30 E0106",
    message: "for: is a time longer than none",
    hint: "write how long: 24h",
  },
  {
    what: "a high mark below the low one",
    text: rule("where: held\n    evict: {from: tier = hot, above: 70%, until: 80%}"),
    at: "7:12 E0106",
    message: "these bounds do not go together",
    hint: "above: needs a lower until:",
  },
  {
    what: "a share of a capacity that nobody configured",
    text: rule("where: held\n    evict: {from: tier = hot, until: 80%}"),
    at: "7:19 E0307",
    message: '"hot" has no capacity',
    hint: "give the backend a capacity:, or write the mark in bytes",
  },
];
