import * as fc from "fast-check";

/**
 * Property tests try the same cases on each run, so that what changed between a green run and a
 * red one is the code. `npm run properties` draws others, and more of them.
 */
fc.configureGlobal({ seed: Number(process.env["PROPERTY_SEED"] ?? 20_261_122) });
