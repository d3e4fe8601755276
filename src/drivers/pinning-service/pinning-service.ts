import type { DriverDefinition } from "#model/driver.ts";
import { GatewayReader } from "#drivers/contract/gateway-reader.ts";
import { HttpService } from "#drivers/contract/http-service.ts";
import { nodeRpc } from "#drivers/contract/node-rpc.ts";
import { lenderOf } from "#drivers/contract/lent-wrapper.ts";
import { pinCapabilities } from "#drivers/contract/pin-capabilities.ts";
import { pinningCapabilitiesOf } from "#drivers/pinning-service/pinning-capabilities.ts";
import { PinningClient } from "#drivers/pinning-service/pinning-client.ts";
import { PinningDriver } from "#drivers/pinning-service/pinning-driver.ts";
import { type PinningOptions, pinningOptions } from "#drivers/pinning-service/pinning-options.ts";
import { SourceNode } from "#drivers/pinning-service/source-node.ts";

/** Pins of a service that speaks the IPFS Pinning Service API. */
export default {
  name: "pinning-service",
  summary: "Pins of a service that speaks the IPFS Pinning Service API, hosted or one's own.",
  options: pinningOptions,
  capabilities: pinCapabilities,
  capabilitiesOf: pinningCapabilitiesOf,
  example: `name: pins
driver: pinning-service
tier: warm
options:
  url: https://pins.example/api/v1
  token: env:PINNING_TOKEN
  meta: {owner: thermocline}
  node: http://127.0.0.1:5001
  gateway: https://gateway.example
`,
  open: (context) => {
    const { backend, options } = context;
    const { token, scheme, nodeAuthorization, gatewayAuthorization } = options;
    const { timeout: idleTimeoutMs } = options;
    const authorization = async (): Promise<string> => {
      const secret = await context.secret(token);
      const sent = scheme === "Basic" ? Buffer.from(secret).toString("base64") : secret;
      return `${scheme} ${sent}`;
    };
    const secretOf = (reference: string | undefined) => async (): Promise<string | undefined> =>
      reference === undefined ? undefined : await context.secret(reference);
    const { node, gateway } = options;
    const lender = lenderOf(backend, options.url);
    return Promise.resolve(
      new PinningDriver(context, {
        client: new PinningClient(
          backend,
          new HttpService({ url: options.url, authorization, idleTimeoutMs }),
        ),
        node:
          node === undefined
            ? undefined
            : new SourceNode(
                backend,
                lender,
                nodeRpc({ rpc: node, secret: secretOf(nodeAuthorization), idleTimeoutMs }),
              ),
        gateway:
          gateway === undefined
            ? undefined
            : new GatewayReader({
                backend,
                url: gateway,
                secret: secretOf(gatewayAuthorization),
                idleTimeoutMs,
              }),
      }),
    );
  },
} satisfies DriverDefinition<PinningOptions>;
