import { isAbsolute } from "node:path";
import { z } from "zod";

/** A name or reference given by the caller: bounded, not empty. */
export const reference = z.string().min(1).max(4_096);

/** A place on the controller's disks. Its working directory is not the caller's. */
export const absolutePath = reference.refine(isAbsolute, "must be an absolute path");

/** A moment with its zone. */
export const moment = z.iso.datetime({ offset: true });

/** A number in a query string. */
export const queryNumber = z.coerce.number().pipe(z.int().nonnegative());
