import { access, constants, stat } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { delimiter, resolve } from "node:path";
import { connect as connectTls } from "node:tls";
import type { Config } from "#config.ts";
import { EngineError } from "#model/engine-error.ts";
import type { OutsideCommand, OutsidePort, Webhook } from "#model/outside.ts";
import type { Finding } from "#cli/doctor/run-checks.ts";

/** Longer than that a person does not wait for one check. */
const connectTimeoutMs = 5_000;
/** Where programs are looked for when the command gets no PATH. */
const pathDefault = "/usr/bin:/bin";

/** What policies may have told, run and exported: secrets, ways to receivers, programs, folders. */
export function outsideFindings(
  { webhooks, commands, exports }: Config,
  port: OutsidePort,
): readonly (readonly [name: string, finding: Finding])[] {
  return [
    ...Object.keys(webhooks).map((name) => {
      return [`webhook ${name}`, async () => checkWebhook(name, await port.webhook(name))] as const;
    }),
    ...Object.keys(commands).map((name) => {
      return [`command ${name}`, () => checkCommand(name, port.command(name))] as const;
    }),
    ...Object.entries(exports).map(([name, { path }]) => {
      return [`export ${name}`, () => checkExport(name, path)] as const;
    }),
  ];
}

/** Only connects: a request would be a message. The address may hold a key, and is not shown. */
async function checkWebhook(name: string, { url }: Webhook): Promise<string> {
  if (!URL.canParse(url)) {
    throw new EngineError("USAGE", "its address is no URL", {
      hint: `correct what url: of webhooks.${name} stands for: https://HOST/PATH`,
    });
  }
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replaceAll(/[[\]]/g, "");
  const isTls = protocol === "https:";
  const { promise, resolve: answered, reject } = Promise.withResolvers<void>();
  const socket = isTls
    ? connectTls({ host, port: Number(port || 443), servername: host }, answered)
    : connectTcp({ host, port: Number(port || 80) }, answered);
  socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error("no answer in time")));
  socket.on("error", reject);
  try {
    await promise;
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "no answer";
    throw new EngineError("UNAVAILABLE", `its host cannot be reached (${why})`, {
      cause,
      hint: `check url: of webhooks.${name}, and the way from this machine to it`,
    });
  } finally {
    socket.destroy();
  }
  return "its secret is there, its host can be reached";
}

/** Looks at the folder and its rights only: a file written there would be seen by its readers. */
async function checkExport(name: string, path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    throw new EngineError("NOT_FOUND", `${path} is no folder on this machine`, {
      hint: `make it, or correct path: of exports.${name}; workers need it too`,
    });
  }
  const mayWrite = await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (mayWrite) return path;
  throw new EngineError("FORBIDDEN", `${path} cannot be written`, {
    hint: "let the user who runs workers write there",
  });
}

async function checkCommand(
  name: string,
  { argv: [program = ""], directory, environment }: OutsideCommand,
): Promise<string> {
  const folders = (environment["PATH"] ?? pathDefault).split(delimiter);
  const places = program.includes("/")
    ? [resolve(directory, program)]
    : folders.map((folder) => resolve(directory, folder, program));
  const found: string[] = [];
  for (const place of places) {
    const isFile = await stat(place).then(
      (facts) => facts.isFile(),
      () => false,
    );
    if (!isFile) continue;
    found.push(place);
    const mayRun = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (mayRun) return place;
  }
  const [first] = found;
  if (first !== undefined) {
    throw new EngineError("FORBIDDEN", `${first} is not executable`, {
      hint: `make it so for the user who runs workers: chmod +x ${first}`,
    });
  }
  const where = program.includes("/") ? "is not there" : "is in no folder of the PATH it gets";
  throw new EngineError("NOT_FOUND", `${places.length === 1 ? places[0] : program} ${where}`, {
    hint: `install it, or correct run: of commands.${name}; relative paths start at ${directory}`,
  });
}
