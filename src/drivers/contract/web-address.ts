import { z } from "zod";
import { secretHint } from "#model/secret-reference.ts";

/**
 * Where a service listens: an origin with a path. Messages and evidence name the address, so what
 * may be secret there, a user, a query or a fragment, is refused (E0110), and no finding repeats
 * what was written. Services take none of that: secrets have options of their own.
 *
 * @param secretsIn the options that take what the service wants to know, for the hint
 */
export function webAddress(secretsIn: string) {
  return z
    .string()
    .trim()
    .superRefine((text, context) => {
      const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
      const part = url === null ? undefined : foreignPart(url, text);
      if (url !== null && part === undefined) return;
      const mayBeSecret = part !== undefined || /[@?#]/.test(text);
      context.addIssue({
        code: "custom",
        message:
          part === undefined
            ? "an address is http://HOST:PORT or https://HOST:PORT/PATH"
            : `an address may hold no user, password, query or fragment, and this one has ${part}: it may be secret`,
        params: mayBeSecret
          ? { code: "E0110", hint: `leave it out, a secret goes into ${secretsIn}: ${secretHint}` }
          : {},
      });
    })
    .meta({ format: "uri", pattern: String.raw`^https?://[^\s/?#@]+(/[^\s?#]*)?$` });
}

/** What stands in an address and is no part of where a service listens. */
function foreignPart({ username, password, search }: URL, text: string): string | undefined {
  if (username !== "" || password !== "") return "a user";
  // One that is empty would come before what is put behind the address.
  if (search !== "" || text.includes("?")) return "a query";
  return text.includes("#") ? "a fragment" : undefined;
}
