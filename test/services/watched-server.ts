import { once } from "node:events";
import { createServer, request as ask } from "node:http";

/** One request as it went past. */
export interface PassedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of its body, headers not counted. */
  bytes: number;
  answeredBytes: number;
}

/** Stands before a real server, passes everything on unchanged and remembers what was asked. */
export interface WatchedServer {
  readonly endpoint: string;
  readonly requests: PassedRequest[];
  stop(): Promise<void>;
}

/** Signatures stay valid: the name of the host is passed on too. */
export async function watchServer(endpoint: string): Promise<WatchedServer> {
  const { hostname, port } = new URL(endpoint);
  const requests: PassedRequest[] = [];
  const server = createServer((incoming, answer) => {
    const { method = "", url = "", headers } = incoming;
    const passed: PassedRequest = { method, url, headers, bytes: 0, answeredBytes: 0 };
    requests.push(passed);
    const outgoing = ask({ hostname, port, method, path: url, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.on("data", (chunk: Buffer) => (passed.answeredBytes += chunk.length));
      answered.pipe(answer);
    });
    outgoing.on("error", () => answer.destroy());
    incoming.on("data", (chunk: Buffer) => (passed.bytes += chunk.length));
    incoming.pipe(outgoing);
    answer.on("close", () => outgoing.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" ? address?.port : undefined;
  return {
    endpoint: `http://127.0.0.1:${own}`,
    requests,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
