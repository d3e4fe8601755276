import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { loadConfig } from "#config.ts";
import { parseBandwidth } from "#model/bandwidth.ts";
import type { Config, ConfigInput } from "#config.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { DriverDefinition } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { secretField } from "#model/secret-reference.ts";

const disk: DriverDefinition = {
  name: "disk",
  summary: "A folder.",
  options: z.strictObject({
    path: z.string().meta({ format: "path" }),
    key: secretField.optional(),
  }),
  capabilities: {
    forms: ["file"],
    operations: ["read", "write"],
    confidence: ["claimed"],
    ranges: "none",
    create: "atomic",
    bytesMax: undefined,
  },
  example: "",
  open: () => Promise.reject(new EngineError("NOT_SUPPORTED", "only a description")),
};

let cwd = "";
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "config-"));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

async function load(
  files: Readonly<Record<string, string>>,
  input: Partial<ConfigInput> = {},
): Promise<Config> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, file)), { recursive: true });
    await writeFile(join(cwd, file), text);
  }
  const drivers = new Map([["disk", disk]]);
  return loadConfig({ cwd, env: {}, hostname: "Box_1.example.org", drivers, ...input });
}

async function refused(loading: Promise<Config>): Promise<EngineError> {
  const error: unknown = await loading.catch((thrown: unknown) => thrown);
  if (!(error instanceof EngineError)) throw new TypeError("expected an EngineError");
  return error;
}

const version = "apiVersion: thermocline/v1\n";
const hot = "  - {name: hot, driver: disk, tier: hot, options: {path: ./hot}}\n";

describe("loadConfig", () => {
  it("works without any file, on defaults", async () => {
    const config = await load({});
    expect(config.file).toBeUndefined();
    expect(config.dataDirectory).toBe(join(cwd, ".thermocline"));
    expect(config.policies).toEqual([join(cwd, "policies")]);
    expect(config.queue).toEqual({ url: "embedded", prefix: "thermocline" });
    expect(config.node).toEqual({
      name: "box-1-example-org",
      roles: ["controller", "worker"],
      labels: {},
      limits: { concurrency: undefined, bandwidth: undefined },
    });
    expect(config.safety).toEqual({
      minimumCopies: 1,
      permitTtlMs: 600_000,
      clockSkewMs: 90_000,
      proofAgeMaxMs: 3_600_000,
      objectsPercentMax: 10,
    });
    expect(config.settings.every((setting) => setting.origin === "default")).toBe(true);
  });

  it("compiles a backend: units become numbers, paths start at the file", async () => {
    const text = `${version}backends:
  - name: hot
    driver: disk
    tier: hot
    region: eu-1
    labels: {rack: a}
    capacity: 10GiB
    price: {perGiBMonth: 0.02, minimumDuration: 30d, minimumSize: 128KiB}
    limits: {concurrency: 2, rate: 30/min, bandwidth: "10M:off", timezone: Europe/Berlin}
    options: {path: ../store, key: env:KEY}
`;
    const config = await load({ "etc/t.yaml": text }, { file: "etc/t.yaml" });
    expect(config.backends).toEqual([
      {
        name: "hot",
        driver: "disk",
        tier: "hot",
        region: "eu-1",
        labels: { rack: "a" },
        capacityBytes: 10 * 2 ** 30,
        price: {
          perGibMonth: 0.02,
          perWrite: 0,
          perRead: 0,
          egressPerGib: 0,
          retrievalPerGib: 0,
          minimumDurationMs: 30 * 86_400_000,
          minimumBytes: 128 * 1024,
        },
        capabilities: disk.capabilities,
        options: { path: join(cwd, "store"), key: "env:KEY" },
        limits: {
          concurrency: 2,
          perNode: 4,
          requestsPerSecond: 0.5,
          bandwidth: parseBandwidth("10M:off"),
          timeZone: "Europe/Berlin",
        },
      },
    ]);
    expect(config.dataDirectory).toBe(join(cwd, "etc", ".thermocline"));
  });

  it("has one currency: a price in another one is an error where it stands", async () => {
    const text = `${version}backends:
  - {name: hot, driver: disk, tier: hot, options: {path: p}, price: {currency: EUR, perGiBMonth: 1}}
`;
    const error = await refused(load({ "thermocline.yaml": text }));
    const [first, ...others] = error.details["diagnostics"] as readonly Diagnostic[];
    expect(first).toMatchObject({ range: { start: { line: 3 } } });
    expect(first?.message).toContain("all prices of an installation are in USD");
    expect(others).toEqual([]);
  });

  it.each([
    ["bandwidth: 10MB", "decimal unit"],
    ['bandwidth: "08:00,fast"', "no bandwidth"],
    ["rate: 50", "not a rate of requests"],
    ["timezone: Europe/Berlinn", "a time zone is a name"],
    ["concurrency: 0", "1"],
  ])("says at its place what is wrong with limits: %s", async (limit, message) => {
    const text = `${version}backends:\n  - {name: hot, driver: disk, tier: hot, limits: {${limit}}}\n`;
    const error = await refused(load({ "thermocline.yaml": text }));
    const [first] = error.details["diagnostics"] as readonly Diagnostic[];
    expect(first).toMatchObject({ range: { start: { line: 3 } } });
    expect(first?.message).toContain(message);
  });

  it("reports errors of the file and of driver options together, each at its place", async () => {
    const text = `${version}dta: x
backends:
${hot}  - {name: hot, driver: dsk, tier: hot}
  - {name: b, driver: disk, tier: hot, options: {paht: x}}
  - {name: c, driver: disk, tier: hott}
safety: {minimumCopies: 0}
`;
    const error = await refused(load({ "thermocline.yaml": text }));
    expect(error.code).toBe("INVALID_DOCUMENT");
    expect(error.message).toBe("thermocline.yaml has 7 errors");
    const diagnostics = error.details["diagnostics"] as readonly Diagnostic[];
    const lines = diagnostics.map(
      ({ file, range, message }) => `${file}:${range.start.line}:${range.start.column} ${message}`,
    );
    expect(lines.toSorted()).toEqual([
      'thermocline.yaml:2:1 unknown key "dta"',
      'thermocline.yaml:5:12 a second backend is named "hot"',
      'thermocline.yaml:5:25 there is no driver "dsk"',
      'thermocline.yaml:6:50 unknown key "paht"',
      'thermocline.yaml:7:35 "hott" is not a value of "tier"',
      'thermocline.yaml:7:5 the key "path" is missing',
      "thermocline.yaml:8:25 0 is out of bounds: at least 1",
    ]);
    expect(diagnostics.find(({ message }) => message.includes("dsk"))?.hint).toBe(
      'did you mean "disk"? (known: disk)',
    );
  });

  it("takes the schedule of snapshots, for backends that the file has", async () => {
    const backends = `backends:\n${hot}`;
    const snapshots = "snapshots: {every: 6h, push: [hot]}\n";
    const config = await load({ "thermocline.yaml": `${version}${backends}${snapshots}` });
    expect(config.snapshots).toEqual({
      everyMs: 6 * 3_600_000,
      keep: 20,
      push: ["hot"],
      ledgerEveryMs: 60_000,
    });
    const none = await load({ "thermocline.yaml": `${version}${backends}` });
    expect(none.snapshots).toEqual({
      everyMs: undefined,
      keep: 20,
      push: [],
      ledgerEveryMs: 60_000,
    });

    for (const [written, message] of [
      ["{every: 6h, push: [hot, hut]}", 'there is no backend "hut"'],
      ["{every: 5s}", "at most every minute"],
    ]) {
      const text = `${version}${backends}snapshots: ${written}\n`;
      const error = await refused(load({ "thermocline.yaml": text }));
      const [first] = error.details["diagnostics"] as readonly Diagnostic[];
      expect(first?.message).toContain(message);
    }
  });

  it("refuses a secret that is written out, without repeating it", async () => {
    const inOptions = `${version}backends:\n  - {name: a, driver: disk, tier: hot, options: {path: x, key: hunter2}}\n`;
    const inUrl = `${version}queue: {url: "redis://:hunter2@host:6379"}\n`;
    const inQuery = `${version}queue: {url: "postgres://host/db?user=me&password=hunter2"}\n`;
    for (const text of [inOptions, inUrl, inQuery]) {
      const error = await refused(load({ "secret.yaml": text }, { file: "secret.yaml" }));
      const [diagnostic] = error.details["diagnostics"] as readonly Diagnostic[];
      expect(diagnostic?.code).toBe("E0110");
      expect(diagnostic?.hint).toContain("env:NAME");
      expect(JSON.stringify([error.message, error.details])).not.toContain("hunter2");
    }
    const flags = { "queue.url": "redis://:hunter2@host:6379" };
    const error = await refused(load({}, { flags }));
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain("flag --queue-url: this URL holds a password");
    expect(error.message).not.toContain("hunter2");
  });

  it("refuses a second document, and names a --config file that does not exist", async () => {
    const two = await refused(load({ "thermocline.yaml": `${version}---\n${version}` }));
    expect((two.details["diagnostics"] as readonly Diagnostic[])[0]?.range.start.line).toBe(3);
    const missing = await refused(load({}, { file: "none.yaml" }));
    expect([missing.code, missing.message]).toEqual(["NOT_FOUND", "none.yaml does not exist"]);
  });
});

describe("index.memoryLimit", () => {
  it("is refused where the index could not keep it, with the reason", async () => {
    expect((await load(limited("256MiB"))).index.memoryBytes).toBe(256 * 2 ** 20);
    const small = await refused(load(limited("255MiB")));
    const [diagnostic] = small.details["diagnostics"] as readonly Diagnostic[];
    expect(diagnostic?.message).toContain("the index needs 256MiB or more");
  });
});

function limited(memoryLimit: string): Readonly<Record<string, string>> {
  return { "thermocline.yaml": `${version}index: {memoryLimit: ${memoryLimit}}\n` };
}

function origins(config: Config): Record<string, string> {
  return Object.fromEntries(config.settings.map(({ path, origin }) => [path, origin]));
}

function named(level: string): string {
  return `${version}log: {level: ${level}}\n`;
}

describe("precedence", () => {
  const file = `${version}data: ./from-file\nlog: {level: debug}\nnode: {roles: [worker]}\n`;

  it("is flag, environment, file, default, and each origin is kept", async () => {
    const config = await load(
      { "sub/thermocline.yaml": file },
      {
        file: "sub/thermocline.yaml",
        env: { THERMOCLINE_DATA: "env-data", THERMOCLINE_NODE_NAME: "n1" },
        flags: { data: "flag-data" },
      },
    );
    expect(config.dataDirectory).toBe(join(cwd, "flag-data"));
    expect(config.node).toMatchObject({ name: "n1", roles: ["worker"] });
    expect(origins(config)).toMatchObject({
      data: "flag --data",
      "node.name": "environment THERMOCLINE_NODE_NAME",
      "log.level": "sub/thermocline.yaml:3:14",
      "queue.url": "default",
    });
  });

  it("prefers --config, then the variable, then the directory, then the user's own", async () => {
    const files = { "a.yaml": named("trace"), "b.yaml": named("warn") };
    const home = { "xdg/thermocline/config.yaml": named("error") };
    const env = { THERMOCLINE_CONFIG: "b.yaml", XDG_CONFIG_HOME: join(cwd, "xdg") };
    expect((await load(files, { file: "a.yaml", env })).log.level).toBe("trace");
    expect((await load(files, { env })).log.level).toBe("warn");
    const own = { XDG_CONFIG_HOME: join(cwd, "xdg") };
    expect((await load(home, { env: own })).log.level).toBe("error");
    const here = { "thermocline.yaml": named("debug") };
    expect((await load(here, { env: own })).log.level).toBe("debug");
  });

  it("reads lists, numbers and maps from the environment and refuses what does not fit", async () => {
    const config = await load(
      {},
      {
        env: {
          THERMOCLINE_NODE_ROLES: "worker, controller",
          THERMOCLINE_NODE_LABELS: "arch=arm64,region=eu",
          THERMOCLINE_SAFETY_MINIMUM_COPIES: "2",
          THERMOCLINE_HEAT_HALF_LIFE: "12h",
        },
      },
    );
    expect(config.node.roles).toEqual(["worker", "controller"]);
    expect(config.node.labels).toEqual({ arch: "arm64", region: "eu" });
    expect([config.safety.minimumCopies, config.heat.halfLifeMs]).toEqual([2, 43_200_000]);
    const error = await refused(load({}, { env: { THERMOCLINE_SAFETY_MINIMUM_COPIES: "none" } }));
    expect([error.code, error.exitCode]).toEqual(["USAGE", 64]);
    expect(error.message).toContain("environment THERMOCLINE_SAFETY_MINIMUM_COPIES");
  });

  it("keeps the name of a variable that holds a secret, not the secret", async () => {
    const url = "postgres://u:hunter2@db/x";
    const config = await load(
      {},
      {
        env: { THERMOCLINE_QUEUE_URL: url, THERMOCLINE_API_TOKEN_FILE: "token" },
      },
    );
    expect(config.queue.url).toBe("env:THERMOCLINE_QUEUE_URL");
    expect(config.api.token).toBe(`file:${join(cwd, "token")}`);
    expect(JSON.stringify(config)).not.toContain("hunter2");
  });
});
