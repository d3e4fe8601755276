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
    const [scheme = "", value = header] = header.split(/ +(.*)/s);
    const user = /^basic$/i.test(scheme) ? Buffer.from(value, "base64").toString() : "";
    const password = user.slice(user.indexOf(":") + 1);
    return { headers: { Authorization: header }, query: "", hide: hiding([value, user, password]) };
  }
  const parameters = new URLSearchParams(text);
  const values = Array.from(parameters, ([name, value]) => (value === "" ? name : value));
  const query = parameters.toString();
  // As it was written, as it is meant, and as it goes out.
  const forms = [text.slice(1), query].flatMap((one) => [
    one,
    ...one.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1)),
  ]);
  const hide = hiding([...forms, ...values, ...values.map(encodeURIComponent)]);
  return { headers: {}, query: `&${query}`, hide };
}

/** What is shorter is no secret, and would be found in words that have nothing to do with it. */
const secretLengthMin = 4;

/** Longer ones first: one may be part of another. */
function hiding(secrets: readonly string[]): GatewayAccess["hide"] {
  const told = [...new Set(secrets)].filter(({ length }) => length >= secretLengthMin);
  told.sort((a, b) => b.length - a.length);
  return (words) => told.reduce((rest, one) => rest.replaceAll(one, "***"), words);
}
