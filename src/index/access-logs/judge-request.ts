import type { ParsedAccess } from "#index/access-logs/parsed-access.ts";

/**
 * Why a request is no read, or undefined when it is one: a GET that was answered with content.
 * An answer "304 Not Modified" sends none, and what this engine reads to copy and verify says
 * nothing about who wants the content.
 */
export function judgeRequest(
  method: string,
  status: string,
  agent: string | undefined,
): Extract<ParsedAccess, { ignored: unknown }> | undefined {
  if (method !== "GET" || (status !== "200" && status !== "206")) return { ignored: "request" };
  return agent !== undefined && ownAgent.test(agent) ? { ignored: "own" } : undefined;
}

const ownAgent = /\bthermocline\b/;
