import { z } from "zod";
import { backendsMax } from "#model/backend.ts";
import { defaultLimits } from "#model/backend-limits.ts";
import { tiers } from "#model/copy.ts";
import type { Role } from "#model/node.ts";
import { parseSecretReference, secretField, secretHint } from "#model/secret-reference.ts";
import { commandsField, exportsField, webhooksField } from "#config/outside-fields.ts";
import { bandwidthField, requestRateField, timeZoneField } from "#config/limit-fields.ts";
import { durationField, nameField, quantityField, sizeField } from "#document/fields.ts";
import { priceCardField } from "#document/price-card-field.ts";

const labelsField = z
  .record(z.string().regex(/^[A-Za-z][\w.-]{0,62}$/), z.string())
  .describe("free labels, which policies can ask for: labels.arch");

const listenField = z.string().regex(/^(?:unix:.+|[^\s/]+:\d{1,5})$/, {
  error: "an address is unix:PATH or HOST:PORT, such as 127.0.0.1:7411",
});

const clockSkewMinMs = 1_000;
const snapshotsEveryMinMs = 60_000;
const ledgerEveryMinMs = 1_000;
/** With less, what is done with each of a million objects does not stay within it. */
const indexMemoryMinBytes = 256 * 2 ** 20;

const percentField = quantityField((text) => {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text.trim());
  const value = Number(match?.[1]);
  if (match === null || value > 100) throw new RangeError(`"${text}" is not a share such as 10%`);
  return value;
}, "a share: 10%");

const queueUrlField = z.string().superRefine((text, context) => {
  if (text === "embedded" || parseSecretReference(text) !== undefined) return;
  const url = URL.parse(text);
  if (url === null || !/^(?:rediss?|postgres(?:ql)?):$/.test(url.protocol)) {
    const message = "a queue is embedded, redis://…, rediss://…, postgres://… or a reference";
    context.addIssue({ code: "custom", message, params: { hint: "remove it for embedded" } });
  } else if (url.password !== "" || hasPasswordInQuery(url)) {
    const message = "this URL holds a password; only a reference to it may stand here";
    context.addIssue({ code: "custom", message, params: { code: "E0110", hint: secretHint } });
  }
});

/** The clients of both servers take every setting in the query, too: `?password=…`. */
function hasPasswordInQuery({ searchParams }: URL): boolean {
  return [...searchParams.keys()].some((name) => /password|passwd|secret|token/i.test(name));
}

/** Only the host and port of it are used, and messages name it as it stands. */
const controllerUrlField = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    if (text.startsWith("unix:") || !/[@?#]/.test(text)) return;
    const message = "the address of a controller holds no user, password or query";
    const hint = `leave it out, the token of the controller goes into api.token: ${secretHint}`;
    context.addIssue({ code: "custom", message, params: { code: "E0110", hint } });
  });

const batchesField = z.int().min(1).max(256);
const receiverField = z.string().regex(/^https?:\/\/[^\s@]+$/, {
  error: "a receiver is http://HOST:PORT or https://HOST:PORT, without a password",
});

/** The roles that this version can run; a gateway comes later. */
const nodeRoles = ["controller", "worker"] as const satisfies readonly Role[];

const backendSchema = z.strictObject({
  name: nameField.describe("what policies, plans and reports call it"),
  driver: z.string().min(1).describe("the kind of storage"),
  tier: z.enum(tiers).describe("how warm it is: cache, hot, warm, cold, archive"),
  region: z.string().min(1).optional().describe("where it is; policies spread copies by it"),
  labels: labelsField.default({}),
  capacity: sizeField.optional().describe("bytes that thermocline may use there"),
  price: priceCardField.prefault({}).describe("what it costs, for plans with totals"),
  limits: z
    .strictObject({
      concurrency: batchesField
        .default(defaultLimits.concurrency)
        .describe("batches at the same time, by all nodes together"),
      perNode: batchesField
        .default(defaultLimits.perNode)
        .describe("batches at the same time on one node"),
      rate: requestRateField.optional(),
      bandwidth: bandwidthField.optional(),
      timezone: timeZoneField
        .optional()
        .describe("where the clock of the timetable hangs; default that of the controller"),
    })
    .prefault({})
    .describe("how hard it may be worked; see limits.md"),
  options: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("what its driver needs; see the driver's own keys below"),
});

/** `thermocline.yaml` in the user's form; the output has bytes and milliseconds. */
export const configSchema = z.strictObject({
  apiVersion: z.literal("thermocline/v1").describe("version of this format"),
  kind: z.literal("Config").optional().describe("Config, where a file says what it is"),
  data: z
    .string()
    .min(1)
    .default("./.thermocline")
    .describe("directory of the index, the embedded queue and saved plans"),
  policies: z
    .array(z.string().min(1))
    .default(["policies"])
    .describe("policy files, directories (every *.thermocline.yaml below) or globs"),
  queue: z
    .strictObject({
      url: queueUrlField
        .default("embedded")
        .describe("embedded (PostgreSQL in the data directory), redis://…, postgres://…, or env:…"),
      prefix: nameField
        .default("thermocline")
        .describe("keeps several installations on one server apart"),
    })
    .prefault({})
    .describe("where jobs wait"),
  api: z
    .strictObject({
      listen: listenField
        .optional()
        .describe("unix:PATH or HOST:PORT; default a socket in the data directory"),
      url: controllerUrlField.optional().describe("the controller, for workers elsewhere"),
      token: secretField.optional().describe("its token, by reference: env:, file:, command:"),
    })
    .prefault({})
    .describe("how a controller is reached"),
  backends: z
    .array(backendSchema)
    .max(backendsMax)
    .default([])
    .describe("the places that can hold copies"),
  node: z
    .strictObject({
      name: nameField.optional().describe("name of this node; default its host name"),
      roles: z
        .array(z.enum(nodeRoles))
        .min(1)
        .default([...nodeRoles])
        .describe("what `thermocline up` does here"),
      labels: labelsField.default({}),
      limits: z
        .strictObject({
          concurrency: batchesField
            .optional()
            .describe("batches at the same time, over all backends"),
          bandwidth: bandwidthField.optional(),
        })
        .prefault({})
        .describe("how hard this node may work, whatever the backends allow"),
    })
    .prefault({})
    .describe("this machine"),
  safety: z
    .strictObject({
      minimumCopies: z
        .int()
        .min(1)
        .default(1)
        .describe("verified copies that every object keeps, whatever policies say"),
      permitTtl: durationField
        .prefault("10m")
        .describe("how long a permit to remove a copy stays valid"),
      clockSkew: durationField
        .prefault("90s")
        .refine((ms) => ms >= clockSkewMinMs, "clocks agree to a second at best: 1s or more")
        .describe(
          "how far the clocks of nodes may differ at most: permits count as usable so much longer",
        ),
      proofAge: durationField
        .prefault("1h")
        .describe("a copy re-hashed longer ago is re-hashed before a removal that rests on it"),
      maxObjects: percentField
        .prefault("10%")
        .describe("share of all objects that one plan may touch without an override"),
    })
    .prefault({})
    .describe("what nothing may override, and what guards allow"),
  roles: z
    .record(nameField, z.array(z.string().min(1)).max(1_000))
    .default({})
    .describe("who has which role, by the name before the @ or all of it: approver: [alice]"),
  webhooks: webhooksField,
  commands: commandsField,
  exports: exportsField,
  heat: z
    .strictObject({
      halfLife: durationField.prefault("7d").describe("a read counts half after this time"),
    })
    .prefault({})
    .describe("how reads fade"),
  index: z
    .strictObject({
      memoryLimit: sizeField
        .refine(
          (bytes) => bytes >= indexMemoryMinBytes,
          "the index needs 256MiB or more: half of it is what DuckDB takes besides what it counts, and lists under way",
        )
        .prefault("1GiB")
        .describe("memory that the process takes for the index; 256MiB or more"),
      threads: z.int().min(1).max(256).optional().describe("its threads; default all cores"),
    })
    .prefault({})
    .describe("the object index"),
  standby: z
    .strictObject({
      directory: z
        .string()
        .min(1)
        .optional()
        .describe("folder that controllers on other machines share: the index is published there"),
      every: durationField.prefault("30s").describe("how often a changed index is published there"),
      keep: z.int().min(1).max(1_000).default(3).describe("how many published ones are kept"),
    })
    .prefault({})
    .describe("how a controller on another data directory takes over"),
  snapshots: z
    .strictObject({
      every: durationField
        .refine((ms) => ms >= snapshotsEveryMinMs, "a snapshot at most every minute: 1m or more")
        .optional()
        .describe("how often the controller takes a snapshot of a changed index; default never"),
      keep: z
        .int()
        .min(1)
        .max(10_000)
        .default(20)
        .describe("how many of those stay, here and on each backend they are pushed to"),
      push: z
        .array(nameField)
        .default([])
        .describe("backends that each of those is pushed to; of drivers local and s3"),
      ledgerEvery: durationField
        .prefault("1m")
        .refine((ms) => ms >= ledgerEveryMinMs, "the ledger at most every second: 1s or more")
        .describe(
          "how often what the ledger recorded since is written beside them, here and there",
        ),
    })
    .prefault({})
    .describe("snapshots of the index by the clock; see snapshots.md"),
  batches: z
    .strictObject({
      olderThan: durationField
        .optional()
        .describe("record batches published longer ago are given up by the clock; default never"),
      keep: z
        .int()
        .nonnegative()
        .default(100)
        .describe("the newest so many stay, whatever their age"),
    })
    .prefault({})
    .describe("record batches by the clock; see batches.md"),
  scrub: z
    .strictObject({
      perDay: sizeField
        .optional()
        .describe("so much content is read and re-hashed each day; default none"),
      olderThan: durationField
        .prefault("30d")
        .describe("a proof younger than this is not made again"),
      backends: z.array(nameField).default([]).describe("only copies there; default all backends"),
    })
    .prefault({})
    .describe("copies are checked again by and by, the oldest proof first; see scrubbing.md"),
  log: z
    .strictObject({
      level: z.enum(["error", "warn", "info", "debug", "trace"]).default("info"),
      format: z.enum(["json", "pretty"]).optional().describe("default pretty on a terminal"),
    })
    .prefault({})
    .describe("what the program says about itself, on standard error"),
  telemetry: z
    .strictObject({
      endpoint: receiverField
        .optional()
        .describe("OTLP receiver (http://host:4318) of spans and queue metrics; default none"),
    })
    .prefault({})
    .describe("OpenTelemetry; the standard variables OTEL_* win over it"),
});

export type ConfigDocument = z.output<typeof configSchema>;
export type BackendDocument = ConfigDocument["backends"][number];
