import { once } from "node:events";
import { createServer } from "node:http";

/** A request as it came. */
export interface AskedRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
}

/** An answer as a service would send it, or fail to. */
export interface PlayedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
  /** The connection is cut after the body. */
  readonly breaksOff?: boolean;
  /** Nothing is ever answered. */
  readonly hangs?: boolean;
}

/** An HTTP server that plays recorded answers: never the service itself, whose words it says. */
export interface PlayedService {
  readonly url: string;
  readonly asked: readonly AskedRequest[];
  answer(give: (request: AskedRequest) => PlayedAnswer): void;
  stop(): Promise<void>;
}

/** Starts one on loopback. */
export async function playAnswers(): Promise<PlayedService> {
  const asked: AskedRequest[] = [];
  let give: ((request: AskedRequest) => PlayedAnswer) | undefined;
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("error", () => undefined);
    request.once("end", () => {
      const { method = "", url: path = "", headers } = request;
      const body = Buffer.concat(pieces).toString("latin1");
      const one = { method, path, authorization: headers.authorization ?? "", body };
      asked.push(one);
      const answer = give?.(one) ?? { status: 500 };
      if (answer.hangs === true) return;
      const { trailers = {} } = answer;
      const named = Object.keys(trailers);
      response.writeHead(answer.status, {
        ...answer.headers,
        ...(named.length > 0 && { Trailer: named.join(", ") }),
      });
      if (answer.breaksOff === true) {
        response.write(answer.body ?? "", () => response.destroy());
        return;
      }
      response.write(answer.body ?? "");
      response.addTrailers(trailers);
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    answer: (next) => {
      give = next;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
