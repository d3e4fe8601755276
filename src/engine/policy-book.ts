import type { Config } from "#config.ts";
import { readCalendarSources } from "#config/calendar-sources.ts";
import { readPolicySources } from "#config/policy-sources.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { ValidationReport } from "#model/engine-api.ts";
import type { VariableValues } from "#model/variable-values.ts";
import { EngineError } from "#model/engine-error.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { CompiledPolicySet, Moment } from "#policies/compiled-policy.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { parseCalendars } from "#policies/timing/parse-calendars.ts";

/** Which policies, if not the configured ones, and values for their variables. */
export interface PolicyChoice {
  readonly policies?: readonly string[] | undefined;
  readonly variables?: VariableValues | undefined;
}

/** The policy files of this installation, read afresh each time they are asked for. */
export class PolicyBook {
  readonly #config: Config;
  readonly #registry: AttributeRegistry;
  #lastGood: ((moment: Moment) => CompiledPolicySet) | undefined;

  constructor(config: Config, registry: AttributeRegistry) {
    this.#config = config;
    this.#registry = registry;
  }

  /** Everything that is to be said about the files, for the given inventory. */
  async validate(moment: Moment, choice: PolicyChoice = {}): Promise<ValidationReport> {
    const { set: _set, ...report } = await this.#compile(moment, choice);
    return report;
  }

  /** The policies ready to be evaluated; INVALID_DOCUMENT with all diagnostics when they err. */
  async compile(moment: Moment, choice: PolicyChoice = {}): Promise<CompiledPolicySet> {
    const { set, policies, diagnostics } = await this.#compile(moment, choice);
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
    if (errors.length > 0) throw invalid(errors.length, diagnostics);
    if (policies === 0) {
      throw new EngineError("NOT_FOUND", "there is no policy", {
        hint: `write one into ${this.#config.policies.join(", ")} (thermocline init makes a first one)`,
      });
    }
    return set;
  }

  /**
   * The set for what adds copies, or limits failures. Somebody may be in the middle of editing a
   * file: then it is the last set without errors. Removals ask the files as they are.
   */
  async compileOrLastGood(moment: Moment): Promise<CompiledPolicySet> {
    try {
      return await this.compile(moment);
    } catch (error) {
      if (this.#lastGood === undefined) throw error;
      return this.#lastGood(moment);
    }
  }

  async #compile(moment: Moment, { policies: files = [], variables = {} }: PolicyChoice) {
    const places = files.length === 0 ? this.#config.policies : files;
    const sources = await readPolicySources(places, this.#config.directory);
    const calendars = parseCalendars(await readCalendarSources(this.#config));
    const parsed = parsePolicies(sources, { registry: this.#registry, calendars, variables });
    const compileAt = (at: Moment) => compilePolicies(parsed.policies, at);
    const { set, diagnostics: findings } = compileAt(moment);
    const diagnostics: readonly Diagnostic[] = [
      ...calendars.diagnostics,
      ...parsed.diagnostics,
      ...findings,
    ];
    const faultless = diagnostics.every((diagnostic) => diagnostic.severity !== "error");
    // Somebody's choice for one plan is not what protects objects afterwards.
    const isStandard = files.length === 0 && Object.keys(variables).length === 0;
    if (isStandard && faultless && parsed.policies.length > 0)
      this.#lastGood = (at) => compileAt(at).set;
    return {
      set,
      policies: parsed.policies.length,
      rules: set.rules.length + (set.switchedOff?.length ?? 0),
      switchedOff: set.switchedOff?.length ?? 0,
      diagnostics,
    };
  }
}

function invalid(count: number, diagnostics: readonly Diagnostic[]): EngineError {
  return new EngineError(
    "INVALID_DOCUMENT",
    `the policies have ${count === 1 ? "an error" : `${count} errors`}`,
    { hint: "correct what is marked and run the command again", details: { diagnostics } },
  );
}
