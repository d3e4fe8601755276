/** The kind of queue server that a URL names; undefined when it is none that we know. */
export function queueKind(url: string): "redis" | "postgresql" | undefined {
  const scheme = URL.canParse(url) ? new URL(url).protocol : "";
  if (scheme === "redis:" || scheme === "rediss:") return "redis";
  if (scheme === "postgres:" || scheme === "postgresql:") return "postgresql";
  return undefined;
}
