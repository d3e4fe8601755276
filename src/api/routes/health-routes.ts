import { z } from "zod";
import type { EngineApi } from "#model/engine-api.ts";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";

const nothing = z.strictObject({});

/**
 * What must answer before the engine is called ready. No numbers: this answers without a token.
 * A queue that is away is none of it: whoever wants to know why nothing moves must get through.
 * Pauses are read from the index alone, and are few: who asks waits for a second or two.
 */
const readiness = {
  index: async (api: EngineApi): Promise<unknown> => await api.pauses(),
} as const;
const readinessNames = Object.keys(readiness) as (keyof typeof readiness)[];

/** Health, version and metrics: what orchestrators and Prometheus ask. */
export const healthRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/livez",
    operation: "livez",
    summary: "The process answers",
    open: true,
    input: z.object({}),
    answer: { kind: "text" },
    handle: () => "ok\n",
  }),
  defineRoute({
    method: "GET",
    path: "/startupz",
    operation: "startupz",
    summary: "The start is over: the lease is held, the index is open and runs are taken up",
    open: true,
    input: z.object({}),
    answer: { kind: "text" },
    // Nobody listens before that, so the answer is enough.
    handle: () => "ok\n",
  }),
  defineRoute({
    method: "GET",
    path: "/readyz",
    operation: "readyz",
    summary: "The engine can work: its index answers",
    open: true,
    input: z.object({
      verbose: z.string().optional(),
      exclude: z
        .string()
        .transform((names) => names.split(","))
        .pipe(z.array(z.enum(readinessNames)))
        .optional(),
    }),
    answer: { kind: "text" },
    async handle({ api }, { verbose, exclude = [] }) {
      const lines: string[] = [];
      for (const name of readinessNames) {
        const excluded = exclude.includes(name);
        if (!excluded) await readiness[name](api);
        lines.push(`[+] ${name} ${excluded ? "excluded: ok" : "ok"}\n`);
      }
      return `${verbose === undefined ? "" : lines.join("")}ok\n`;
    },
  }),
  defineRoute({
    method: "GET",
    path: "/version",
    operation: "version",
    summary: "Which controller answers",
    open: true,
    input: nothing,
    answer: {
      kind: "json",
      schema: z.object({ name: z.string(), version: z.string(), instance: z.string() }),
    },
    handle: ({ version, instance }) => ({ name: "thermocline", version, instance }),
  }),
  defineRoute({
    method: "GET",
    path: "/metrics",
    operation: "metrics",
    summary: "Metrics in the Prometheus text format",
    input: z.object({}),
    answer: { kind: "text" },
    handle: ({ api }) => api.metrics(),
  }),
];
