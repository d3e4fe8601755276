import type { EffectiveLimits, ShareRequest } from "#model/backend-limits.ts";

/** Limits with a timetable, as the engine would answer them. */
export const sampleLimits: EffectiveLimits = {
  backend: "hot",
  concurrency: 16,
  perNode: 4,
  rate: "50/s",
  bandwidth: "10M:off",
  uploadBytesPerSecond: 10_485_760,
  timetable: "08:00,10M:off 19:00,off",
  entry: "08:00,10M:off",
  nextChange: { at: "2026-03-01T12:00:00.000Z", bandwidth: "off" },
  nodes: ["worker-1"],
};

/** What a node says about two backends, one of which asked it to wait. */
export const sampleShareRequest: ShareRequest = {
  node: "worker/1",
  backends: [
    {
      backend: "hot",
      active: true,
      upload: { wanted: null, holding: 0.5 },
      download: { wanted: 12.25 },
      requests: { wanted: 0 },
      holdMs: 1_500,
    },
  ],
};
