import { z } from "zod";
import type { DriverDefinition } from "#model/driver.ts";
import { LocalDriver, localCapabilities } from "#drivers/local/local-driver.ts";
import { durabilities } from "#drivers/local/store-folder.ts";

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe("Folder of the store; an absent or empty one is set up.")
    .meta({ format: "path" }),
  durability: z
    .enum(durabilities)
    .default("full")
    .describe(
      "What is forced to disk before a write counts: `full` the bytes and the folder entry, " +
        "`file` the bytes only, `none` nothing (for caches: a power failure may lose copies).",
    ),
  create: z
    .boolean()
    .default(true)
    .describe("Set up a new store when there is none; false for disks that may be unmounted."),
});

/** Content-addressed files in a folder of this machine. */
export default {
  name: "local",
  summary: "Content-addressed files in a folder: a local disk, or a mounted file system.",
  options,
  capabilities: localCapabilities,
  example: `name: disk
driver: local
tier: hot
capacity: 500GiB
options:
  path: /srv/thermocline
`,
  open: (context) => LocalDriver.open(context),
} satisfies DriverDefinition<z.output<typeof options>>;
