type QueryValue = string | number | undefined;

/** A request as a query string: what has parts is JSON. */
export function inQuery(request: object): Readonly<Record<string, QueryValue>> {
  return Object.fromEntries(
    Object.entries(request).map(([name, value]: [string, unknown]) => [
      name,
      isPlain(value) ? value : JSON.stringify(value),
    ]),
  );
}

function isPlain(value: unknown): value is QueryValue {
  return value === undefined || typeof value === "string" || typeof value === "number";
}
