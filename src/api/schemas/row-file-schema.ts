import { z } from "zod";
import { absolutePath } from "#api/schemas/input.ts";
import type { RowFile } from "#model/row-file.ts";
import { count, shapeOf } from "#model/shape.ts";

/** A file that was written on the controller's machine. */
export const rowFileSchema = shapeOf<RowFile>({
  file: absolutePath,
  rows: count,
  bytes: count,
  cid: z.string().exactOptional(),
});
