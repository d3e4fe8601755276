/** What an index may be doing when its process is killed. */
export const indexWork = ["import", "commit", "snapshot", "compact", "migrate"] as const;
export type IndexWork = (typeof indexWork)[number];
