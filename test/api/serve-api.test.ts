import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defaultListen } from "#api/address.ts";
import { ApiClient } from "#api/client.ts";
import { findController } from "#api/find-controller.ts";
import { serveApi } from "#api/serve-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { sampleEngine } from "./sample-engine.ts";
import { serveEngine } from "./served-engine.ts";

test("the state file leads to the controller, and is its owner's alone", async () => {
  await using served = await serveEngine(sampleEngine(), "loopback");
  const { stateFile, tokenFile } = served.options;
  const state = JSON.parse(await readFile(stateFile, "utf8")) as Record<string, unknown>;
  expect(state).toMatchObject({ pid: process.pid, address: served.server.address, tokenFile });
  expect(served.server.address).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  for (const file of [stateFile, tokenFile]) expect((await stat(file)).mode & 0o777).toBe(0o600);
  const client = await findController(stateFile);
  expect((await client?.status())?.objects).toBe(10);
});

test("a socket can be opened by its owner only and goes away with the server", async () => {
  await using served = await serveEngine(sampleEngine());
  const socket = join(served.folder, "api.sock");
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  await served.server.close();
  expect(await readdir(served.folder)).toEqual(["token"]);
  expect(await findController(served.options.stateFile)).toBe(undefined);
});

test("a second controller is refused while the first lives", async () => {
  for (const kind of ["socket", "loopback"] as const) {
    await using served = await serveEngine(sampleEngine(), kind);
    const second = await serveApi(sampleEngine(), served.options).catch((error: unknown) => error);
    expect(second).toMatchObject({ code: "LOCKED", exitCode: 11 });
    expect((second as EngineError).message).toContain(String(process.pid));
    expect((await served.client.status()).objects).toBe(10);
  }
});

test("what a killed controller left behind does not stop the next", async () => {
  for (const kind of ["socket", "loopback"] as const) {
    await using served = await serveEngine(sampleEngine(), kind);
    const { options, token } = served;
    await served.server.close();
    await killedController(options);
    expect(await readdir(served.folder)).toContain("controller.json");
    expect(await findController(options.stateFile)).toBe(undefined);
    const next = await serveApi(sampleEngine(), options);
    expect((await (await findController(options.stateFile))?.status())?.objects).toBe(10);
    expect((await readFile(options.tokenFile, "utf8")).trim()).toBe(token);
    await next.close();
  }
});

test("another program's port in an old state file is not taken for the controller", async () => {
  await using served = await serveEngine(sampleEngine(), "loopback");
  await using other = await serveEngine(sampleEngine(), "loopback");
  const state = JSON.parse(await readFile(served.options.stateFile, "utf8")) as object;
  await served.server.close();
  const stale = JSON.stringify({ ...state, address: other.server.address });
  await writeFile(served.options.stateFile, stale);
  expect(await findController(served.options.stateFile)).toBe(undefined);
});

test("a file that is no socket, and a socket of another program, are left alone", async () => {
  await using served = await serveEngine(sampleEngine());
  const file = join(served.folder, "precious");
  await writeFile(file, "data");
  const stateFile = join(served.folder, "other.json");
  const attempt = (path: string) =>
    serveApi(sampleEngine(), { ...served.options, stateFile, listen: `unix:${path}` }).catch(
      (error: unknown) => error,
    );
  expect(await attempt(file)).toMatchObject({ code: "USAGE" });
  expect(await readFile(file, "utf8")).toBe("data");
  const socket = join(served.folder, "foreign.sock");
  const foreign = createServer().listen(socket);
  await once(foreign, "listening");
  expect(await attempt(socket)).toMatchObject({ code: "LOCKED" });
  await new Promise((resolve) => foreign.close(resolve));
});

test("a taken port is LOCKED, an address that is none USAGE, and nothing is left behind", async () => {
  await using served = await serveEngine(sampleEngine(), "loopback");
  const stateFile = join(served.folder, "second.json");
  const attempt = (listen: string) =>
    serveApi(sampleEngine(), { ...served.options, stateFile, listen }).catch(
      (error: unknown) => error,
    );
  expect(await attempt(served.server.address)).toMatchObject({ code: "LOCKED" });
  expect(await attempt("ftp://x")).toMatchObject({ code: "USAGE" });
  expect(await attempt(`unix:/${"x".repeat(200)}`)).toMatchObject({ code: "USAGE" });
  expect(await readdir(served.folder)).not.toContain("second.json");
});

test("a token file without a usable token is refused, a state file that is none too", async () => {
  await using served = await serveEngine(sampleEngine());
  const tokenFile = join(served.folder, "short");
  const stateFile = join(served.folder, "state.json");
  const listen = `unix:${join(served.folder, "b.sock")}`;
  await writeFile(tokenFile, "short\n");
  const options = { ...served.options, listen, stateFile, tokenFile };
  await expect(serveApi(sampleEngine(), options)).rejects.toMatchObject({ code: "UNREADABLE" });
  await writeFile(stateFile, "{}");
  await expect(findController(stateFile)).rejects.toMatchObject({ code: "UNREADABLE" });
});

test("a token of the operator's own holds for workers elsewhere and for commands here", async () => {
  await using served = await serveEngine(sampleEngine(), "loopback");
  const token = "chosen-by-the-operator";
  await served.server.close();
  const server = await serveApi(sampleEngine(), { ...served.options, token: `${token}\n` });
  const elsewhere = new ApiClient({ address: server.address, token });
  expect((await elsewhere.status()).objects).toBe(10);
  const here = await findController(served.options.stateFile);
  expect((await here?.status())?.objects).toBe(10);
  await expect(served.client.status()).rejects.toThrow(EngineError);
  await server.close();
});

test("a server on every interface is found on loopback", async () => {
  await using served = await serveEngine(sampleEngine(), "loopback");
  await served.server.close();
  const server = await serveApi(sampleEngine(), { ...served.options, listen: "0.0.0.0:0" });
  expect(server.address).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  const client = await findController(served.options.stateFile);
  expect((await client?.status())?.objects).toBe(10);
  await server.close();
});

test("the default address is a socket where one fits, else a free loopback port", async () => {
  expect(defaultListen("/data/api.sock", "linux")).toBe("unix:/data/api.sock");
  expect(defaultListen(`/${"long/".repeat(40)}api.sock`, "linux")).toBe("127.0.0.1:0");
  expect(defaultListen("/data/api.sock", "win32")).toBe("127.0.0.1:0");
});

test("calls under way end before the server closes, and what hangs is cut off", async () => {
  const gate = Promise.withResolvers<void>();
  const slow = sampleEngine();
  await using served = await serveEngine({
    ...slow,
    nodes: () => gate.promise.then(() => slow.nodes()),
    runs: () => new Promise(() => {}),
  });
  const underWay = served.client.nodes();
  const hanging = served.client.runs().catch((error: unknown) => error);
  await served.client.status();
  const closed = served.server.close();
  gate.resolve();
  expect(await underWay).toHaveLength(1);
  await closed;
  expect(await hanging).toMatchObject({ code: "UNAVAILABLE" });
});

/** A controller in a process of its own that is killed as soon as it serves. */
async function killedController(options: object): Promise<void> {
  const script = `
    import { serveApi } from ${JSON.stringify(new URL("../../src/api/serve-api.ts", import.meta.url).href)};
    await serveApi({}, ${JSON.stringify(options)});
    console.log("serving");
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
}
