/**
 * The header for a secret as it stands in `API.Authorizations` of a node: `bearer:TOKEN`,
 * `basic:USER:PASSWORD`, `basic:BASE64`, or a token alone.
 */
export function authorizationHeader(secret: string): string {
  const text = secret.trim();
  if (/^(Basic|Bearer) /.test(text)) return text;
  const [, kind = "bearer", value = text] = /^(basic|bearer):(.*)$/s.exec(text) ?? [];
  if (kind === "bearer") return `Bearer ${value}`;
  return `Basic ${value.includes(":") ? Buffer.from(value).toString("base64") : value}`;
}
