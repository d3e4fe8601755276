// Memory and time of listing very many pins: at a node, in a cluster, at a pinning service. What
// answers is pin-servers.ts, in a process of its own; measured is this one, which only lists.
//   node --expose-gc bench/pin-inventories.ts [pins = 1000000] [kubo|cluster|service …]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Driver } from "#model/driver.ts";
import ipfsCluster from "#drivers/ipfs-cluster/ipfs-cluster.ts";
import kubo from "#drivers/kubo/kubo.ts";
import pinningService from "#drivers/pinning-service/pinning-service.ts";
import { costOf } from "./median.ts";

const mebibyte = 1024 * 1024;
const pins = Number(process.argv[2] ?? 1_000_000);
const chosen = process.argv.slice(3);
const script = fileURLToPath(new URL("pin-servers.ts", import.meta.url));

const common = {
  backend: "bench",
  capacityBytes: undefined,
  secret: () => Promise.resolve("secret"),
};
const drivers: Readonly<Record<string, (url: string) => Promise<Driver>>> = {
  kubo: (rpc) => kubo.open({ ...common, options: kubo.options.parse({ rpc }) }),
  cluster: (url) => {
    const options = ipfsCluster.options.parse({ url: `${url}/cluster` });
    return ipfsCluster.open({ ...common, options });
  },
  service: (url) => {
    const options = { url: `${url}/service`, token: "env:TOKEN" };
    return pinningService.open({ ...common, options: pinningService.options.parse(options) });
  },
};

const server = spawn(process.execPath, [script, String(pins)], {
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const url = line.toString().trim();
  for (const [name, open] of Object.entries(drivers)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const driver = await open(url);
    const { seconds, processor } = await costOf(() => listAll(name, driver));
    console.log(`${name}: ${seconds.toFixed(1)} s, processor time ${processor.toFixed(1)} s`);
    await driver.close();
  }
} finally {
  server.kill();
}

/** Says what this process takes up after each tenth. */
async function listAll(name: string, driver: Driver): Promise<void> {
  let listed = 0;
  let peak = 0;
  const told: string[] = [];
  for await (const _ of driver.list()) {
    listed += 1;
    if (listed % 1_000 === 0) peak = Math.max(peak, process.memoryUsage.rss());
    if (listed % (pins / 10) !== 0) continue;
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    told.push(`${Math.round(heapUsed / mebibyte)}/${Math.round(rss / mebibyte)}`);
  }
  console.log(`${name}: ${listed} pins; heap/RSS in MiB after each tenth: ${told.join(" ")}`);
  console.log(`${name}: at most ${Math.round(peak / mebibyte)} MiB RSS`);
}
