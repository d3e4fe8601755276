import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Check } from "#model/check.ts";
import { freePort } from "../../scripts/services/server-process.ts";
import { clusterMissing, startCluster } from "../services/ipfs-cluster.ts";
import { startKubo } from "../services/kubo.ts";
import { playAnswers } from "../services/played-service.ts";
import { startVersitygw, versitygwMissing } from "../services/versitygw.ts";
import { Workspace } from "./workspace.ts";

const why = clusterMissing() ?? versitygwMissing();
/** A backend of a test: its driver and options, and what doctor must say of it when it is wrong. */
type Case = readonly [driver: string, options: string, said?: string];

describe.skipIf(why !== undefined)(
  `doctor and real servers${why ? ` (skipped: ${why})` : ""}`,
  () => {
    test("says of each backend what is wrong, in one line, and what to do", async () => {
      await using ending = new AsyncDisposableStack();
      const workspace = await Workspace.create({ policies: {} });
      ending.defer(() => workspace.dispose());
      const cases = await startAll(workspace, ending);
      await workspace.addConfig(
        Object.entries(cases)
          .map(([name, [driver, options]]) => {
            return `  - {name: ${name}, driver: ${driver}, tier: warm, options: {${options}}}\n`;
          })
          .join(""),
      );
      const { code, stdout } = await workspace.run("doctor", "-o", "json");
      expect(code).toBe(1);
      const { checks } = JSON.parse(stdout) as { readonly checks: readonly Check[] };
      const texts = checks.map(({ message }) => message);
      expect(texts.filter((text) => /\n|not-the-password/.test(text))).toEqual([]);
      const helpless = checks.filter(({ state, hint }) => state !== "ok" && !hint);
      expect(helpless).toEqual([]);
      // Each as it should be said, or not at all: what differs is shown with its name.
      const said = Object.entries(cases).map(([name, [, , expected]]) => {
        const text = wrong(checks, name);
        const fits = expected === undefined ? text === "" : text.includes(expected);
        return { name, said: fits ? expected : text };
      });
      expect(said).toEqual(
        Object.entries(cases).map(([name, [, , expected]]) => ({ name, said: expected })),
      );
    }, 240_000);
  },
);

/** What does not work there, but that it is the same storage as others: here many are. */
function wrong(checks: readonly Check[], backend: string): string {
  const own = checks.filter(({ name }) => name === `backend ${backend}`);
  if (own.length === 0) return "doctor does not mention it";
  const failing = own.filter(({ state }) => state !== "ok").map(({ message }) => message);
  const isAgain = backend.endsWith("-again");
  return failing
    .filter((message) => isAgain || !message.startsWith("the same storage as"))
    .join("; ");
}

function at(rpc: string, more = ""): string {
  return `rpc: "${rpc}"${more}`;
}

async function startAll(
  workspace: Workspace,
  ending: AsyncDisposableStack,
): Promise<Readonly<Record<string, Case>>> {
  const few = ["/api/v0/version", "/api/v0/repo/stat", "/api/v0/pin/ls"];
  const servers = await Promise.all([
    startCluster(),
    startKubo({
      authorizations: {
        alice: { AuthSecret: "bearer:letmein", AllowedPaths: ["/api/v0"] },
        bob: { AuthSecret: "basic:bob:few", AllowedPaths: few },
      },
      authorization: "Bearer letmein",
    }),
    startVersitygw(),
    playAnswers(),
  ]);
  for (const server of servers) ending.defer(() => server.stop());
  const [cluster, node, buckets, old] = servers;
  await buckets.makeBucket("lake");
  const versions = JSON.stringify({ Version: "0.34.1", version: "0.14.0" });
  old.answer(({ path }) =>
    path.includes("version") ? { status: 200, body: versions } : { status: 404 },
  );
  const secret = async (name: string, value: string): Promise<string> => {
    await writeFile(join(workspace.path, name), value);
    return `"file:${name}"`;
  };
  const good = await secret("good", cluster.password);
  const bad = await secret("bad", "not-the-password");
  const token = await secret("token", `${cluster.username}:${cluster.password}`);
  const places = {
    dead: `http://127.0.0.1:${await freePort()}`,
    old: old.url,
    s3: buckets.endpoint,
    node: node.rpc,
    api: cluster.peers[0].api,
    pinning: cluster.peers[0].pinning,
    rpc: cluster.peers[0].node.rpc,
    bad,
  };
  const alice = await secret("alice", "bearer:letmein");
  return {
    ...kuboCases(places, {
      alice,
      bob: await secret("bob", "basic:bob:few"),
    }),
    ...clusterCases(places, {
      auth: `username: ${cluster.username}, password: ${good}`,
      header: await secret("header", "Bearer letmein"),
      alice,
    }),
    ...pinningCases(places, `token: ${token}, scheme: Basic`, alice),
    ...bucketCases(places, {
      region: buckets.region,
      key: `accessKeyId: ${buckets.accessKeyId}`,
      secret: `secretAccessKey: ${await secret("key", buckets.secretAccessKey)}`,
    }),
    "folder-absent": ["local", "path: /nowhere/at/all, create: false", "there is no store at"],
    "folder-foreign": ["local", "path: /usr", "is not empty and holds no store"],
    "folder-again": ["local", "path: ./storage/warm/../hot", "the same storage as backend hot"],
  };
}

type Places = Readonly<
  Record<"dead" | "old" | "s3" | "node" | "api" | "pinning" | "rpc" | "bad", string>
>;

function kuboCases(
  { dead, old, s3, node, api, rpc, bad }: Places,
  { alice, bob }: Readonly<Record<"alice" | "bob", string>>,
): Readonly<Record<string, Case>> {
  const denied = "the user may not call /api/v0/id, /api/v0/pin/rm, /api/v0/files/stat";
  return {
    "kubo-right": ["kubo", at(rpc)],
    "kubo-authorized": ["kubo", at(node, `, authorization: ${alice}`)],
    "kubo-dead": ["kubo", at(dead), "cannot be reached (connect ECONNREFUSED"],
    "kubo-no-auth": ["kubo", at(node), "the node asks for credentials"],
    "kubo-wrong-auth": ["kubo", at(node, `, authorization: ${bad}`), "not accept the credentials"],
    "kubo-few-paths": ["kubo", at(node, `, authorization: ${bob}`), denied],
    "kubo-no-secret": ["kubo", at(node, ", authorization: env:NOT_SET_HERE"), "is not set"],
    "kubo-old": ["kubo", at(old), "Kubo 0.34.1 is too old"],
    "kubo-at-cluster": ["kubo", at(api), "does not accept the credentials (401"],
    "kubo-at-bucket": ["kubo", at(s3), "refuses the request (405: MethodNotAllowed The"],
    "kubo-again": ["kubo", at(`${rpc}/api/v0/`), "the same storage as backend kubo-right"],
  };
}

function clusterCases(
  { dead, old, node, api, pinning, rpc, bad }: Places,
  { auth, header, alice }: Readonly<Record<"auth" | "header" | "alice", string>>,
): Readonly<Record<string, Case>> {
  const at = (more: string, url = api): readonly [string, string] => {
    return ["ipfs-cluster", `url: "${url}", ${more}`];
  };
  const wrongUser = `username: tester, password: ${bad}`;
  return {
    "cluster-right": at(`${auth}, rpc: ["${rpc}"]`),
    "cluster-dead": [...at(auth, dead), "cannot be reached"],
    "cluster-no-auth": [...at("timeout: 30s"), "does not accept the credentials (401"],
    "cluster-wrong-auth": [...at(wrongUser), "does not accept the credentials (401"],
    "cluster-old": [...at(auth, old), "IPFS Cluster 0.14.0 is too old"],
    "cluster-at-node": [...at(auth, rpc), "does not answer as the REST API of IPFS Cluster does"],
    "cluster-at-pinning": [...at(auth, pinning), "no such address (404)"],
    "cluster-rpc-dead": [...at(`${auth}, rpc: ["${dead}"]`), "who it is: the service cannot be"],
    "cluster-rpc-auth": [
      ...at(`${auth}, rpc: ["${node}"], rpcAuthorization: ${bad}`),
      "the node does not let us call id",
    ],
    "cluster-rpc-stranger": [
      ...at(`${auth}, rpc: ["${node}"], rpcAuthorization: ${header}`),
      "belongs to no peer of this cluster",
    ],
    // The secret as it stands at the node, and the address with the path of the API.
    "cluster-rpc-secret": [
      ...at(`${auth}, rpc: ["${node}/api/v0/"], rpcAuthorization: ${alice}`),
      "belongs to no peer of this cluster",
    ],
    "cluster-gateway-dead": [...at(`${auth}, gateway: "${dead}"`), "asking the gateway"],
    "cluster-nobody": [...at(`${auth}, allocations: [peer-9]`), 'has no peer "peer-9"'],
    "cluster-no-tag": [...at(`${auth}, allocateByTags: {group: rack-9}`), "no peer with group="],
    "cluster-too-many": [
      ...at(`${auth}, replicationMin: 3, replicationMax: 3`),
      "replicationMin is 3, and 2 peers answer",
    ],
    "cluster-too-alike": [
      ...at(`${auth}, replicationMin: 3, replicationMax: 3, allocatePer: group`),
      "too few values of the tag group for 3 peers",
    ],
  };
}

function pinningCases(
  { dead, api, pinning, rpc, node, bad }: Places,
  token: string,
  alice: string,
): Readonly<Record<string, Case>> {
  const at = (url: string, more = token): readonly [string, string] => {
    return ["pinning-service", `url: "${url}", ${more}`];
  };
  return {
    "pinning-right": at(pinning, `${token}, node: "${rpc}"`),
    "pinning-node-secret": at(
      pinning,
      `${token}, node: "${node}/api/v0", nodeAuthorization: ${alice}`,
    ),
    "pinning-node-auth": [
      ...at(pinning, `${token}, node: "${node}", nodeAuthorization: ${bad}`),
      "the node does not let us call id",
    ],
    "pinning-dead": [...at(dead), "cannot be reached"],
    "pinning-wrong": [...at(pinning, `token: ${bad}`), "does not accept the credentials (401"],
    "pinning-at-node": [...at(rpc), "no such address (404)"],
    "pinning-at-cluster": [...at(api), "does not answer as a service"],
    "pinning-node-dead": [...at(pinning, `${token}, node: "${dead}"`), "asking the node for its"],
    "pinning-gateway-dead": [...at(pinning, `${token}, gateway: "${dead}"`), "asking the gateway"],
    "pinning-again": [...at(pinning), "the same storage as backends pinning-right"],
  };
}

function bucketCases(
  { dead, s3, rpc, bad }: Places,
  { region, key, secret }: Readonly<Record<"region" | "key" | "secret", string>>,
): Readonly<Record<string, Case>> {
  const at = (options: string, url = s3, where = region): readonly [string, string] => {
    return ["s3", `endpoint: "${url}", region: ${where}, ${options}`];
  };
  const keys = `${key}, ${secret}`;
  return {
    "bucket-right": at(`bucket: lake, ${keys}`),
    "bucket-dead": [...at(`bucket: lake, ${keys}`, dead), "cannot be reached"],
    "bucket-absent": [...at(`bucket: sea, ${keys}`), "the bucket does not exist"],
    "bucket-secret": [
      ...at(`bucket: lake, ${key}, secretAccessKey: ${bad}`),
      "not accept the cred",
    ],
    "bucket-key": [...at(`bucket: lake, accessKeyId: nobody, ${secret}`), "not accept the cred"],
    "bucket-region": [...at(`bucket: lake, ${keys}`, s3, "us-west-9"), "in another region"],
    "bucket-at-node": [...at(`bucket: lake, ${keys}`, rpc), "does not answer as S3 does"],
    "bucket-again": [
      ...at(`bucket: lake, storageClass: GLACIER, ${keys}`),
      "the same storage as backends bucket-right",
    ],
  };
}
