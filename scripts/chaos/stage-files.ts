/** Backends of a chaos run: name, tier and region of each; all are folders of this machine. */
export const stageBackends = [
  { name: "hot", tier: "hot", region: "eu-1" },
  { name: "warm", tier: "warm", region: "eu-2" },
  { name: "cold", tier: "cold", region: "eu-3" },
  { name: "small", tier: "warm", region: "eu-4", capacity: "60MiB" },
] as const;

/** Size of the file system below the backend `small`, which fills up. */
export const smallDiskBytes = 64 * 1024 * 1024;

/** Short terms, so that within minutes everything happens that otherwise takes weeks. */
export function stageConfig(hasQueueUrl: boolean): string {
  const backends = stageBackends.map((backend) => {
    const capacity = "capacity" in backend ? `, capacity: ${backend.capacity}` : "";
    const { name, tier, region } = backend;
    return (
      `  - {name: ${name}, driver: local, tier: ${tier}, region: ${region}${capacity},\n` +
      `     options: {path: ./storage/${name}, durability: none}}\n`
    );
  });
  const queue = hasQueueUrl ? 'queue: {url: "env:CHAOS_QUEUE_URL"}\n' : "";
  return `apiVersion: thermocline/v1
${queue}backends:
${backends.join("")}safety: {minimumCopies: 1, permitTtl: 30s, proofAge: 0s, maxObjects: 100%}
heat: {halfLife: 30s}
index: {memoryLimit: 512MiB, threads: 2}
log: {level: info, format: json}
`;
}

/** Work in both directions without end: copies come, go down, come back, and are deleted. */
export const stagePolicy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: chaos}
rules:
  - name: two-copies
    where: not (tags has "scratch")
    ensure: {copies: 2, per: region, confidence: verified}
  - name: cool
    where: idle > 20s and heat < 0.5
    demote: {from: tier = hot, to: tier = cold}
  - name: warm-up
    where: heat >= 1
    promote: {from: tier >= warm, to: tier = hot}
  - name: clear-small
    where: idle > 40s
    evict: {from: backend = "small"}
  - name: drop
    where: tags has "scratch" and idle > 45s
    delete: {grace: 15s}
`;
