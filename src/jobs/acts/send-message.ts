import { createHmac } from "node:crypto";
import type { OutsideBatch } from "#jobs/acts/act-outside.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Webhook } from "#model/outside.ts";

/**
 * Posts one message to a webhook, signed as the Standard Webhooks say: who knows the secret can
 * tell that it is ours, how old it is, and by its id that it came before. Errors name the webhook,
 * never its address, which may hold a key.
 */
export async function sendMessage(
  name: string,
  { url, secret, timeoutMs }: Webhook,
  batch: OutsideBatch,
  signal: AbortSignal,
): Promise<string> {
  const { id, ...data } = batch;
  const body = JSON.stringify({ type: "thermocline.objects.selected", data });
  // Of this try: receivers refuse what is old, lest somebody plays it to them again.
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature(secret, `${id}.${timestamp}.${body}`)}`,
  };
  const timeout = AbortSignal.timeout(timeoutMs);
  const call = { method: "POST", headers, body, redirect: "manual" } as const;
  const response = await fetch(url, { ...call, signal: AbortSignal.any([signal, timeout]) }).catch(
    (cause: unknown) => {
      signal.throwIfAborted();
      const why = timeout.aborted ? `did not answer within ${timeoutMs} ms` : "cannot be reached";
      // The cause names the address.
      throw new EngineError("UNAVAILABLE", `webhook ${name} ${why}${causeOf(cause)}`);
    },
  );
  await response.body?.cancel();
  if (response.ok) return `webhook ${name} took it (HTTP ${response.status}, ${id})`;
  throw refusal(name, response);
}

/** HMAC-SHA256 in base64, with the key that a secret `whsec_…` holds, else the secret itself. */
export function signature(secret: string, text: string): string {
  const key = secret.startsWith("whsec_")
    ? Buffer.from(secret.slice("whsec_".length), "base64")
    : Buffer.from(secret);
  return createHmac("sha256", key).update(text).digest("base64");
}

/** The code of a network error: ECONNREFUSED, ENOTFOUND. */
function causeOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? ` (${code})` : "";
}

function refusal(name: string, { status, headers }: Response): EngineError {
  const message = `webhook ${name} answered HTTP ${status}`;
  const seconds = Number(headers.get("retry-after") ?? "");
  const later = seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {};
  if (status === 429) return new EngineError("RATE_LIMITED", message, later);
  if (status >= 500 || status === 408) return new EngineError("UNAVAILABLE", message, later);
  return status === 401 || status === 403
    ? new EngineError("FORBIDDEN", message)
    : new EngineError("REFUSED", message);
}
