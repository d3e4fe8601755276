import type { Config } from "#config.ts";
import { readCalendarSources } from "#config/calendar-sources.ts";
import { readPolicySources } from "#config/policy-sources.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { ValidationReport } from "#model/engine-api.ts";
import type { VariableValues } from "#model/variable-values.ts";
import { EngineError } from "#model/engine-error.ts";
import type { DocumentSource } from "#document/document-source.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { CompiledPolicySet, Moment } from "#policies/compiled-policy.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import type { Policy } from "#policies/policy.ts";
import { parseCalendars } from "#policies/timing/parse-calendars.ts";

/** Where the policies of an installation are. */
type PolicyPlaces = Pick<Config, "directory" | "policies">;

/** Which policies, if not the configured ones, and values for their variables. */
export interface PolicyChoice {
  readonly policies?: readonly string[] | undefined;
  readonly variables?: VariableValues | undefined;
}

/** Policies with the values that a plan was given; or why they do not fit. */
export type AgreedSet =
  | { readonly set: CompiledPolicySet; readonly error?: undefined }
  | { readonly error: EngineError };

interface Texts {
  readonly policies: readonly DocumentSource[];
  readonly calendars: readonly DocumentSource[];
}

interface Parsed {
  readonly policies: readonly Policy[];
  readonly diagnostics: readonly Diagnostic[];
}

interface Bound extends ValidationReport {
  readonly set: CompiledPolicySet;
}

/** As many readings are kept: those of the runs under way with values for variables. */
const knownMax = 8;

/** The policy files of this installation, read afresh each time they are asked for. */
export class PolicyBook {
  readonly #config: PolicyPlaces;
  readonly #registry: AttributeRegistry;
  readonly #known = new Map<string, Parsed>();
  #lastGood: ((moment: Moment) => CompiledPolicySet) | undefined;

  constructor(config: PolicyPlaces, registry: AttributeRegistry) {
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
    return this.#faultless(await this.#compile(moment, choice));
  }

  #faultless({ set, policies, diagnostics }: Bound): CompiledPolicySet {
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
   * The set as the files are now, and the same with values for its variables, of one reading: what
   * is asked before something is taken away. Throws as `compile` does where the files have an
   * error; that the values do not fit them any more is said of the second.
   */
  async compileNow(
    moment: Moment,
    variables: VariableValues | undefined,
  ): Promise<{ readonly standing: CompiledPolicySet; readonly agreed: AgreedSet }> {
    const texts = await this.#read([]);
    const bound = this.#bind(texts, moment);
    this.#keepGood(texts, bound);
    const standing = this.#faultless(bound);
    if (variables === undefined) return { standing, agreed: { set: standing } };
    try {
      return { standing, agreed: { set: this.#faultless(this.#bind(texts, moment, variables)) } };
    } catch (error) {
      return { standing, agreed: { error: EngineError.from(error) } };
    }
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
    const texts = await this.#read(files);
    const bound = this.#bind(texts, moment, variables);
    // Somebody's choice for one plan is not what protects objects afterwards.
    if (files.length === 0 && Object.keys(variables).length === 0) this.#keepGood(texts, bound);
    return bound;
  }

  /** What the files say right now. */
  async #read(files: readonly string[]): Promise<Texts> {
    const places = files.length === 0 ? this.#config.policies : files;
    return {
      policies: await readPolicySources(places, this.#config.directory),
      calendars: await readCalendarSources(this.#config),
    };
  }

  #bind(texts: Texts, moment: Moment, variables: VariableValues = {}): Bound {
    const parsed = this.#parsed(texts, variables);
    const { set, diagnostics } = compilePolicies(parsed.policies, moment);
    return {
      set,
      policies: parsed.policies.length,
      rules: set.rules.length + (set.switchedOff?.length ?? 0),
      switchedOff: set.switchedOff?.length ?? 0,
      diagnostics: [...parsed.diagnostics, ...diagnostics],
    };
  }

  #keepGood(texts: Texts, { policies, diagnostics }: Bound): void {
    const isGood = diagnostics.every((diagnostic) => diagnostic.severity !== "error");
    if (isGood && policies > 0) this.#lastGood = (at) => this.#bind(texts, at).set;
  }

  /** The same texts are read once: that takes longer than to bind them to a moment. */
  #parsed(texts: Texts, variables: VariableValues): Parsed {
    const key = JSON.stringify([texts, variables]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const calendars = parseCalendars(texts.calendars);
    const options = { registry: this.#registry, calendars, variables };
    const { policies, diagnostics } = parsePolicies(texts.policies, options);
    const parsed = { policies, diagnostics: [...calendars.diagnostics, ...diagnostics] };
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= knownMax) this.#known.delete(oldest);
    this.#known.set(key, parsed);
    return parsed;
  }
}

function invalid(count: number, diagnostics: readonly Diagnostic[]): EngineError {
  return new EngineError(
    "INVALID_DOCUMENT",
    `the policies have ${count === 1 ? "an error" : `${count} errors`}`,
    { hint: "correct what is marked and run the command again", details: { diagnostics } },
  );
}
