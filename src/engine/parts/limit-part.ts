import type { EngineContext } from "#engine/context.ts";
import type { Execution } from "#engine/execution.ts";
import type { EngineApi } from "#model/engine-api.ts";

type LimitPart = Pick<EngineApi, "limits" | "setLimits" | "resetLimits" | "limitShares">;

/** How hard backends may be worked: look, change, take back; and the shares of the nodes. */
export function limitPart({ limits }: EngineContext, execution: Execution): LimitPart {
  return {
    async limits() {
      return limits.list();
    },
    async setLimits(override) {
      const effective = await limits.set(override);
      execution.wake();
      return effective;
    },
    async resetLimits(backend) {
      const effective = await limits.reset(backend);
      execution.wake();
      return effective;
    },
    async limitShares(request) {
      return limits.share(request);
    },
  };
}
