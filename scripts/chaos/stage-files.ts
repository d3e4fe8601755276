import { bucketAccess, bucketRegion } from "./bucket-place.ts";

/** A backend of a chaos run; where it says no options, a folder of this machine. */
interface StageBackend {
  readonly name: string;
  readonly tier: "hot" | "warm" | "cold";
  readonly region: string;
  readonly capacity?: string;
}

/** The backends that are folders. */
export const folderBackends: readonly StageBackend[] = [
  { name: "hot", tier: "hot", region: "eu-1" },
  { name: "warm", tier: "warm", region: "eu-2" },
  { name: "cold", tier: "cold", region: "eu-3" },
  { name: "small", tier: "warm", region: "eu-4", capacity: "60MiB" },
];

/** The backend behind an S3 server, where one is installed. */
export const bucketBackend: StageBackend = { name: "bucket", tier: "cold", region: bucketRegion };

/** Size of the file system below the backend `small`, which fills up. */
export const smallDiskBytes = 64 * 1024 * 1024;

/** Short terms, so that within minutes everything happens that otherwise takes weeks. */
export function stageConfig(hasQueueUrl: boolean, bucketEndpoint: string | undefined): string {
  const backends = folderBackends.map((backend) => {
    const capacity = backend.capacity === undefined ? "" : `, capacity: ${backend.capacity}`;
    const { name, tier, region } = backend;
    return (
      `  - {name: ${name}, driver: local, tier: ${tier}, region: ${region}${capacity},\n` +
      `     options: {path: ./storage/${name}, durability: none}}\n`
    );
  });
  if (bucketEndpoint !== undefined) backends.push(bucketLines(bucketEndpoint));
  const queue = hasQueueUrl ? 'queue: {url: "env:CHAOS_QUEUE_URL"}\n' : "";
  return `apiVersion: thermocline/v1
${queue}backends:
${backends.join("")}safety: {minimumCopies: 1, permitTtl: 30s, proofAge: 0s, maxObjects: 100%}
heat: {halfLife: 30s}
index: {memoryLimit: 512MiB, threads: 2}
log: {level: info, format: json}
`;
}

/** Small parts, so that large files are sent in several. */
function bucketLines(endpoint: string): string {
  const { name, tier, region } = bucketBackend;
  return (
    `  - {name: ${name}, driver: s3, tier: ${tier}, region: ${region},\n` +
    `     options: {bucket: ${name}, region: ${region}, endpoint: "${endpoint}",\n` +
    `       forcePathStyle: true, partSize: 5MiB, accessKeyId: ${bucketAccess.accessKeyId},\n` +
    `       secretAccessKey: "env:CHAOS_BUCKET_SECRET"}}\n`
  );
}

/** Work in both directions without end: copies come, go down and come back. */
const moving = `apiVersion: thermocline/v1
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
`;

/** What is deleted; it also starts by itself, while controllers come and go. */
const cleaning = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: clean}
schedule: {every: 20s, catchUp: 2m, overlap: skip}
rules:
  - name: drop
    where: tags has "scratch" and idle > 45s
    delete: {grace: 15s}
`;

/** The policies by name. */
export const stagePolicies = { chaos: moving, clean: cleaning } as const;
