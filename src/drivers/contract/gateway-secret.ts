import { secretField } from "#model/secret-reference.ts";
import { authorizationHeader } from "#drivers/contract/node-rpc.ts";

/** The option that takes what a gateway wants to know, for hints. */
export const gatewaySecretsIn =
  "`gatewayAuthorization` (a query as a whole, with its question mark: `?token=…`)";

/** The option of drivers that read through a gateway. */
export const gatewaySecretField = secretField
  .optional()
  .describe(
    "For `gateway`: its token, as `bearer:TOKEN`, `basic:USER:PASSWORD` or the whole header; where " +
      "it wants it in the query, that with its question mark: `?pinataGatewayToken=TOKEN`.",
  );

/** What goes with each request to a gateway. */
export interface GatewayAccess {
  readonly headers: Readonly<Record<string, string>>;
  /** Begins with `&`, for behind other parameters; or empty. */
  readonly query: string;
  /** What a service said, without the secret, should it repeat what it was asked. */
  readonly hide: (words: string) => string;
}

/** As the secret says: a query where it begins with a question mark, else a header. */
export function gatewayAccess(secret: string | undefined): GatewayAccess {
  const text = secret?.trim();
  if (text === undefined) return { headers: {}, query: "", hide: (words) => words };
  if (!text.startsWith("?")) {
    const header = authorizationHeader(text);
    const [, value = header] = header.split(/ +(.*)/s);
    return { headers: { Authorization: header }, query: "", hide: hiding([value]) };
  }
  const parameters = new URLSearchParams(text);
  const values = Array.from(parameters, ([name, value]) => (value === "" ? name : value));
  const hide = hiding([...values, ...values.map(encodeURIComponent)]);
  return { headers: {}, query: `&${parameters.toString()}`, hide };
}

function hiding(secrets: readonly string[]): GatewayAccess["hide"] {
  const told = secrets.filter((one) => one !== "");
  return (words) => told.reduce((rest, one) => rest.replaceAll(one, "***"), words);
}
