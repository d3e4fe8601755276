/** Text as a SQL string literal, for the few places where DuckDB takes no parameter. */
export function sqlLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
