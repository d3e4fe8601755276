/** Where a diagnostic code is explained, below the folder of the package; its name is the anchor. */
export function docsLink(code: string): string | undefined {
  if (!/^[EW]\d{4}$/.test(code)) return undefined;
  const page = /^E01(?:0\d|10)$/.test(code) ? "document-diagnostics" : "policy-diagnostics";
  return `docs/${page}.md#${code}`;
}

/** A code as the cell of a table that other pages can link to. */
export function codeAnchor(code: string): string {
  return `<a id="${code}"></a>\`${code}\``;
}
