/** A path for a function that takes patterns: its stars and brackets stand for themselves. */
export function literalPath(path: string): string {
  return path.replaceAll(/[*?[]/g, "[$&]");
}
