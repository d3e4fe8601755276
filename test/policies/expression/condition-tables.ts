/** Conditions over backends and copies, with the copies that satisfy them: by id and confidence. */
export const copyConditions: readonly (readonly [
  string,
  (id: number, level: number) => boolean,
])[] = [
  ["", () => true],
  ["tier = hot", (id) => id === 0],
  ["tier >= warm", (id) => id > 0],
  ["confidence >= verified", (_, level) => level === 3],
  ["confidence = listed", (_, level) => level === 1],
  ["confidence < sampled", (_, level) => level < 2],
  ["tier > cache, confidence >= listed", (_, level) => level >= 1],
  ['backend in ["b0", "b3"] or confidence > listed', (id, level) => id % 3 === 0 || level > 1],
  ['not (region = "eu")', (id) => id === 1],
  ["missing(region)", (id) => id >= 2],
  ["price <= 0.02 USD/GiB/month", (id) => id >= 2],
  ["price = 0.023 USD/GiB/month and not cordoned", (id) => id === 0],
  ["price * 1TiB * 30d > 23 USD", (id) => id === 0],
  ['labels.rack in ["r1", "r2"]', (id) => id === 1 || id === 2],
  ["usage between 10% and 60%", (id) => id === 1],
  ["free >= 1TiB - 600GiB or missing(free)", (id) => id !== 2],
];

/** Globs, each with the regular expression of JavaScript that means the same. */
export const globs: readonly (readonly [string, RegExp])[] = [
  ["/data/**", /^\/data\/.*$/s],
  ["/*", /^\/[^/]*$/s],
  ["**/tmp/**", /^(?:.*\/)?tmp\/.*$/s],
  ["*.{jpg,png}", /^[^/]*\.(?:jpg|png)$/s],
  ["[xy].???", /^[xy]\.[^/]{3}$/s],
  ["image/*", /^image\/[^/]*$/s],
  ["[!a]*", /^[^/a][^/]*$/s],
  ["100%", /^100%$/s],
];
/** The same for expressions of RE2. */
export const regexes: readonly (readonly [string, RegExp])[] = [
  ["^/data", /^\/data/],
  ["(?i)TMP", /tmp/i],
  ["[.](jpg|png)$", /[.](jpg|png)$/],
  ["\\d+", /\d+/],
];
