import { z } from "zod";
import type { EngineEvent, ToldEvent } from "#model/engine-event.ts";
import { runSchema } from "#api/schemas/run-schema.ts";
import { count, shapeOf, time } from "#model/shape.ts";

type Of<Type extends EngineEvent["type"]> = Extract<EngineEvent, { type: Type }>;

/** The data of one message of the stream of events. */
export const toldEventSchema = shapeOf<ToldEvent>({
  id: z.string(),
  at: time,
  event: z.union([
    shapeOf<Of<"copy-lost">>({
      type: z.literal("copy-lost"),
      backend: z.string(),
      objects: count,
    }),
    shapeOf<Of<"object-added">>({ type: z.literal("object-added"), objects: count }),
    shapeOf<Of<"backend-added">>({ type: z.literal("backend-added"), backend: z.string() }),
    shapeOf<Of<"run-ended">>({ type: z.literal("run-ended"), run: runSchema }),
    shapeOf<{ readonly type: "reset" }>({ type: z.literal("reset") }),
  ]),
});
