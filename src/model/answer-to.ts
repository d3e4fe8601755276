import type { ClientRequest, IncomingMessage } from "node:http";

/**
 * Resolves with the answer to a request once it begins, and rejects where there will be none. Where
 * a server says that it speaks another protocol from here on (status 101), Node tells of no answer
 * and of no error.
 */
export function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const refuse = (other: { destroy(): unknown }): void => {
    other.destroy();
    reject(new Error("the server wants to speak another protocol (status 101)"));
  };
  request.once("response", (response) => {
    if (response.statusCode === 101) refuse(response);
    else resolve(response);
  });
  request.once("upgrade", (_response, socket) => {
    refuse(socket);
  });
  request.once("error", reject);
  request.once("close", () => {
    reject(new Error("the connection ended without an answer"));
  });
  return promise;
}
