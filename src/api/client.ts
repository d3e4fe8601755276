import { resolve } from "node:path";
import type { AccessLogOptions } from "#model/access-log.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { AsOf } from "#model/index-snapshot.ts";
import { absolute } from "#api/absolute.ts";
import { inPieces } from "#api/in-pieces.ts";
import { parseAddress } from "#api/address.ts";
import { ApiConnection } from "#api/api-connection.ts";
import { inQuery } from "#api/in-query.ts";
import { fromExactJson } from "#api/json-values.ts";
import { WorkerClient } from "#api/worker-client.ts";

/** The answer of a method of the engine. */
type Answer<Method extends keyof EngineApi> = ReturnType<EngineApi[Method]>;
type Request<Method extends keyof EngineApi> = Parameters<EngineApi[Method]>[0];

/**
 * The engine of a running controller, called over HTTP: the same contract as the engine in this
 * process, errors included. Relative paths are made absolute, as the controller works elsewhere.
 */
export class ApiClient extends WorkerClient implements EngineApi {
  readonly #connection: ApiConnection;

  /** `address` is what the state file says: `unix:/path`, `http://host:port` or an https URL. */
  constructor(options: { readonly address: string; readonly token: string }) {
    const connection = new ApiConnection(parseAddress(options.address), options.token);
    super(connection);
    this.#connection = connection;
  }

  status(): Answer<"status"> {
    return this.#connection.json("GET", "/api/v1/status");
  }

  async metrics(): Answer<"metrics"> {
    return new TextDecoder().decode(await this.#connection.bytes("GET", "/metrics"));
  }

  backends(): Answer<"backends"> {
    return this.#connection.json("GET", "/api/v1/backends");
  }

  validate(
    files?: readonly string[],
    variables?: Parameters<EngineApi["validate"]>[1],
  ): Answer<"validate"> {
    const body = {
      ...(files === undefined ? {} : { files: files.map((file) => resolve(file)) }),
      ...(variables === undefined ? {} : { variables }),
    };
    return this.#connection.json("POST", "/api/v1/validate", { body });
  }

  plan(request: Request<"plan">): Answer<"plan"> {
    return this.#connection.json("POST", "/api/v1/plans", {
      body: {
        ...request,
        ...absolute("out", request.out),
        ...(request.policies ? { policies: request.policies.map((file) => resolve(file)) } : {}),
      },
    });
  }

  planActions(cid: string, offset: number, limit: number): Answer<"planActions"> {
    const path = `/api/v1/plans/${encodeURIComponent(cid)}/actions`;
    return this.#connection.json("GET", path, { query: { offset, limit } });
  }

  apply(request: Request<"apply">): Answer<"apply"> {
    return this.#connection.json("POST", "/api/v1/runs", {
      body: { ...request, ...absolute("planFile", request.planFile) },
    });
  }

  explain(request: Request<"explain">): Answer<"explain"> {
    const query = inQuery(request);
    return this.#connection.json("GET", "/api/v1/explain", { query });
  }

  ruleStatements(request: Request<"ruleStatements">): Answer<"ruleStatements"> {
    const query = inQuery(request);
    return this.#connection.json("GET", "/api/v1/rule-statements", { query });
  }

  objects(request: Request<"objects">): Answer<"objects"> {
    const query = { ...request, limit: request.limit ?? "all" };
    return this.#connection.lines("GET", "/api/v1/objects", { query });
  }

  exportObjects(request: Request<"exportObjects">): Answer<"exportObjects"> {
    const body = { ...request, file: resolve(request.file) };
    return this.#connection.json("POST", "/api/v1/objects/export", { body });
  }

  storeObject(
    request: Request<"storeObject">,
    content: Parameters<EngineApi["storeObject"]>[1],
  ): Answer<"storeObject"> {
    const query = inQuery(request);
    return this.#connection.json("POST", "/api/v1/objects/content", { query, content });
  }

  objectSources(reference: string): Answer<"objectSources"> {
    return this.#connection.json("GET", "/api/v1/object/sources", { query: { reference } });
  }

  readObject(request: Request<"readObject">): Answer<"readObject"> {
    return this.#connection.stream("GET", "/api/v1/object/content", { query: { ...request } });
  }

  report({ report, ...query }: Request<"report">): Answer<"report"> {
    return this.#connection.json("GET", reportPath(report), { query });
  }

  exportReport({ report, ...request }: Request<"exportReport">): Answer<"exportReport"> {
    const body = { ...request, file: resolve(request.file) };
    return this.#connection.json("POST", `${reportPath(report)}/export`, { body });
  }

  object(reference: string): Answer<"object"> {
    return this.#connection.json("GET", "/api/v1/object", { query: { reference } });
  }

  async *query(text: string, options: AsOf = {}): Answer<"query"> {
    const body = { ...options, text, exact: true };
    type Chunk = { columns: string[]; rows: unknown };
    for await (const chunk of this.#connection.lines<Chunk>("POST", "/api/v1/query", { body })) {
      const rows = fromExactJson(chunk.rows) as readonly Record<string, unknown>[];
      yield { columns: chunk.columns, rows };
    }
  }

  queryArrow(text: string, options: AsOf = {}): Answer<"queryArrow"> {
    const body = { ...options, text };
    return this.#connection.stream("POST", "/api/v1/query/arrow", { body });
  }

  exportQuery(request: Request<"exportQuery">): Answer<"exportQuery"> {
    const body = { ...request, file: resolve(request.file) };
    return this.#connection.json("POST", "/api/v1/query/export", { body });
  }

  importDirectory(request: Request<"importDirectory">): Answer<"importDirectory"> {
    return this.#connection.lines("POST", "/api/v1/imports/directory", {
      body: { ...request, path: resolve(request.path) },
    });
  }

  importManifest(request: Request<"importManifest">): Answer<"importManifest"> {
    const body = { ...request, path: resolve(request.path) };
    return this.#connection.lines("POST", "/api/v1/imports/manifest", { body });
  }

  importInventory(request: Request<"importInventory">): Answer<"importInventory"> {
    const body = { ...request, ...absolute("s3Inventory", request.s3Inventory) };
    return this.#connection.lines("POST", "/api/v1/imports/inventory", { body });
  }

  inventories(): Answer<"inventories"> {
    return this.#connection.json("GET", "/api/v1/inventories");
  }

  drift(request: Request<"drift">): Answer<"drift"> {
    return this.#connection.lines("GET", "/api/v1/drift", { query: { ...request } });
  }

  exportDrift(request: Request<"exportDrift">): Answer<"exportDrift"> {
    const body = { ...request, file: resolve(request.file) };
    return this.#connection.json("POST", "/api/v1/drift/export", { body });
  }

  importAccesses(
    batchId: string,
    lines: AsyncIterable<string>,
    options: AccessLogOptions = {},
  ): Answer<"importAccesses"> {
    const path = `/api/v1/imports/accesses/${encodeURIComponent(batchId)}`;
    return this.#connection.json("POST", path, { lines: inPieces(lines), query: { ...options } });
  }

  verify(request: Request<"verify">): Answer<"verify"> {
    return this.#connection.lines("POST", "/api/v1/verify", { body: request });
  }

  setHold(reference: string, held: boolean, reason: string): Answer<"setHold"> {
    return this.#connection.json("POST", "/api/v1/object/hold", {
      body: { reference, held, reason },
    });
  }

  limits(): Answer<"limits"> {
    return this.#connection.json("GET", "/api/v1/limits");
  }

  setLimits({ backend, ...body }: Request<"setLimits">): Answer<"setLimits"> {
    const path = `/api/v1/backends/${encodeURIComponent(backend)}/limits`;
    return this.#connection.json("POST", path, { body });
  }

  resetLimits(backend: string): Answer<"resetLimits"> {
    const path = `/api/v1/backends/${encodeURIComponent(backend)}/limits/reset`;
    return this.#connection.json("POST", path);
  }

  runs(): Answer<"runs"> {
    return this.#connection.json("GET", "/api/v1/runs");
  }

  run(id: string): Answer<"run"> {
    return this.#connection.json("GET", `/api/v1/runs/${encodeURIComponent(id)}`);
  }

  controlRun(id: string, control: Parameters<EngineApi["controlRun"]>[1]): Answer<"controlRun"> {
    const path = `/api/v1/runs/${encodeURIComponent(id)}/control`;
    return this.#connection.json("POST", path, { body: { control } });
  }

  audit(request: Request<"audit">): Answer<"audit"> {
    return this.#connection.lines("GET", "/api/v1/audit", { query: { ...request } });
  }

  exportAudit(request: Request<"exportAudit">): Answer<"exportAudit"> {
    const body = { ...request, file: resolve(request.file) };
    return this.#connection.json("POST", "/api/v1/audit/export", { body });
  }

  takeSnapshot(request: Request<"takeSnapshot">): Answer<"takeSnapshot"> {
    return this.#connection.json("POST", "/api/v1/snapshots", { body: request });
  }

  snapshots(request: Request<"snapshots"> = {}): Answer<"snapshots"> {
    return this.#connection.json("GET", "/api/v1/snapshots", { query: { ...request } });
  }

  findSnapshot(reference: string): Answer<"findSnapshot"> {
    return this.#connection.json("GET", "/api/v1/snapshots/find", { query: { reference } });
  }

  pushSnapshot(request: Request<"pushSnapshot">): Answer<"pushSnapshot"> {
    return this.#connection.json("POST", "/api/v1/snapshots/push", { body: request });
  }

  pullSnapshot(request: Request<"pullSnapshot">): Answer<"pullSnapshot"> {
    return this.#connection.json("POST", "/api/v1/snapshots/pull", { body: request });
  }

  exportSnapshot(request: Request<"exportSnapshot">): Answer<"exportSnapshot"> {
    const body = { ...request, file: resolve(request.file) };
    return this.#connection.json("POST", "/api/v1/snapshots/export", { body });
  }

  diffSnapshots(request: Request<"diffSnapshots">): Answer<"diffSnapshots"> {
    return this.#connection.json("GET", "/api/v1/snapshots/diff", { query: { ...request } });
  }

  collectSnapshots(request: Request<"collectSnapshots">): Answer<"collectSnapshots"> {
    return this.#connection.json("POST", "/api/v1/snapshots/gc", { body: request });
  }

  schedules(): Answer<"schedules"> {
    return this.#connection.json("GET", "/api/v1/schedules");
  }

  upcomingStarts(policy: string, count: number): Answer<"upcomingStarts"> {
    return this.#connection.json("GET", `${schedulePath(policy)}/next`, { query: { count } });
  }

  runSchedule(policy: string): Answer<"runSchedule"> {
    return this.#connection.json("POST", `${schedulePath(policy)}/run`, { body: {} });
  }

  setScheduleEnabled(
    policy: string,
    enabled: boolean,
    reason: string,
  ): Answer<"setScheduleEnabled"> {
    const body = { enabled, reason };
    return this.#connection.json("POST", `${schedulePath(policy)}/enabled`, { body });
  }

  events(after?: string): Answer<"events"> {
    return this.#connection.events("/api/v1/events", { query: { after } });
  }

  checkAudit(): Answer<"checkAudit"> {
    return this.#connection.json("GET", "/api/v1/audit/check");
  }

  control(request: Request<"control">): Answer<"control"> {
    return this.#connection.json("POST", "/api/v1/controls", { body: request });
  }

  pauses(): Answer<"pauses"> {
    return this.#connection.json("GET", "/api/v1/pauses");
  }

  setPriority(id: string, priority: number): Answer<"setPriority"> {
    const path = `/api/v1/runs/${encodeURIComponent(id)}/priority`;
    return this.#connection.json("POST", path, { body: { priority } });
  }

  holdObjects(request: Request<"holdObjects">): Answer<"holdObjects"> {
    return this.#connection.json("POST", "/api/v1/objects/hold", { body: request });
  }

  failures({ quarantined, ...request }: Request<"failures">): Answer<"failures"> {
    const query = { ...request, ...(quarantined === true ? { quarantined: "true" } : {}) };
    return this.#connection.json("GET", "/api/v1/failures", { query });
  }

  releaseQuarantine(
    filter: Request<"releaseQuarantine">,
    reason: string,
  ): Answer<"releaseQuarantine"> {
    return this.#connection.json("POST", "/api/v1/quarantine/release", {
      body: { filter, reason },
    });
  }

  dismissFailures(filter: Request<"dismissFailures">, reason: string): Answer<"dismissFailures"> {
    return this.#connection.json("POST", "/api/v1/failures/dismiss", { body: { filter, reason } });
  }

  diffPlans(request: Request<"diffPlans">): Answer<"diffPlans"> {
    return this.#connection.json("POST", "/api/v1/plans/diff", { body: request });
  }

  undoRun(request: Request<"undoRun">): Answer<"undoRun"> {
    return this.#connection.json("POST", "/api/v1/undos", { body: request });
  }

  approvals(): Answer<"approvals"> {
    return this.#connection.json("GET", "/api/v1/approvals");
  }

  decideApproval(request: Request<"decideApproval">): Answer<"decideApproval"> {
    return this.#connection.json("POST", "/api/v1/approvals", { body: request });
  }

  suspensions(): Answer<"suspensions"> {
    return this.#connection.json("GET", "/api/v1/suspensions");
  }

  releaseSuspension(policy: string, reason: string): Answer<"releaseSuspension"> {
    return this.#connection.json("POST", "/api/v1/suspensions/release", {
      body: { policy, reason },
    });
  }

  repairs(limit: number): Answer<"repairs"> {
    return this.#connection.json("GET", "/api/v1/repairs", { query: { limit } });
  }

  retry(request: Request<"retry">): Answer<"retry"> {
    return this.#connection.json("POST", "/api/v1/retries", { body: request });
  }

  why(reference: string): Answer<"why"> {
    return this.#connection.json("GET", "/api/v1/why", { query: { reference } });
  }

  nodes(): Answer<"nodes"> {
    return this.#connection.json("GET", "/api/v1/nodes");
  }
}

function reportPath(report: string): string {
  return `/api/v1/reports/${encodeURIComponent(report)}`;
}

function schedulePath(policy: string): string {
  return `/api/v1/schedules/${encodeURIComponent(policy)}`;
}
