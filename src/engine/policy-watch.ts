import { policiesOfNow } from "#engine/ask-policies.ts";
import type { EngineContext } from "#engine/context.ts";
import type { PolicyState } from "#jobs/admission/policies.ts";
import { actAsEngine } from "#model/acting.ts";
import { EngineError } from "#model/engine-error.ts";
import { arePoliciesUnknown } from "#model/policy-word.ts";

/** The files are looked at this often at most. */
const lookEveryMs = 1_000;

/**
 * Whether anybody can tell what the policies want to keep. That something waits because nobody
 * can, and that it goes on, is told once each, here and in the ledger.
 */
export class PolicyWatch implements PolicyState {
  readonly #context: Pick<EngineContext, "index" | "policies" | "moment" | "now">;
  readonly #onError: (error: EngineError) => void;
  #unknown: string | undefined;
  #looking: Promise<void> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Whether something waits, and whether that was told. */
  #holds = false;
  #isTold = false;

  constructor(
    context: Pick<EngineContext, "index" | "policies" | "moment" | "now">,
    onError: (error: EngineError) => void,
  ) {
    this.#context = context;
    this.#onError = onError;
  }

  async unknown(): Promise<string | undefined> {
    if (performance.now() - this.#lookedAt >= lookEveryMs) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
        this.#lookedAt = performance.now();
      });
      await this.#looking;
    }
    return this.#unknown;
  }

  holds(): void {
    this.#holds = true;
  }

  async #look(): Promise<void> {
    this.#unknown = await this.#find();
    const isHeld = this.#unknown !== undefined && this.#holds;
    if (this.#unknown === undefined) this.#holds = false;
    if (isHeld === this.#isTold) return;
    this.#isTold = isHeld;
    const { index, now } = this.#context;
    const reason = isHeld ? "removals wait for the policies" : "removals go on";
    const message = this.#unknown ?? "the policies can be read again";
    this.#onError(new EngineError("INVALID_DOCUMENT", `${reason}: ${message}`));
    try {
      // Whoever asks how things stand is not who did it.
      await actAsEngine(() => index.controls.record(reason, { message }, now()));
    } catch (error) {
      this.#onError(EngineError.from(error));
    }
  }

  async #find(): Promise<string | undefined> {
    try {
      await policiesOfNow(this.#context);
      return undefined;
    } catch (error) {
      if (arePoliciesUnknown(error)) return error.message;
      throw error;
    }
  }
}
