import type { Config } from "#config.ts";
import { readCalendarSources } from "#config/calendar-sources.ts";
import { readPolicySources } from "#config/policy-sources.ts";
import type { DocumentSource } from "#document/document-source.ts";
import { EngineError } from "#model/engine-error.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { parseCalendars } from "#policies/timing/parse-calendars.ts";
import type { PolicyTiming } from "#policies/timing/policy-timing.ts";

/** The timing of each policy by its name. */
export type PolicyTimings = ReadonlyMap<string, PolicyTiming>;

/** The files are looked at this often at most. */
const readEveryMs = 1_000;

/**
 * When the policies of this installation run, as their files say. It is asked for all the time,
 * so the files are read now and then, and parsed only when their text has changed. While
 * somebody has an error in them, what they said before still holds.
 */
export class TimingBook {
  readonly #config: Pick<Config, "directory" | "policies">;
  readonly #registry: AttributeRegistry;
  #texts: string | undefined;
  #timings: PolicyTimings | undefined;
  #reading: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(config: Pick<Config, "directory" | "policies">, registry: AttributeRegistry) {
    this.#config = config;
    this.#registry = registry;
  }

  /** The same map as long as nothing changed; undefined when the files never were faultless. */
  async timings(): Promise<PolicyTimings | undefined> {
    if (performance.now() - this.#readAt < readEveryMs) return this.#timings;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      this.#readAt = performance.now();
    });
    await this.#reading;
    return this.#timings;
  }

  async #read(): Promise<void> {
    const calendars = await unlessUnreadable(readCalendarSources(this.#config));
    const policies = await unlessUnreadable(this.#policySources());
    if (calendars === undefined || policies === undefined) return;
    const texts = JSON.stringify([calendars, policies]);
    if (texts === this.#texts) return;
    const parsed = parseCalendars(calendars);
    const options = { registry: this.#registry, calendars: parsed };
    const { policies: read, diagnostics } = parsePolicies(policies, options);
    const isFaultless = [...parsed.diagnostics, ...diagnostics].every(
      ({ severity }) => severity !== "error",
    );
    if (isFaultless) this.#timings = new Map(read.map(({ name, timing }) => [name, timing]));
    this.#texts = texts;
  }

  /** No file is no policy. */
  async #policySources(): Promise<readonly DocumentSource[]> {
    try {
      return await readPolicySources(this.#config.policies, this.#config.directory);
    } catch (error) {
      if (EngineError.from(error).code === "NOT_FOUND") return [];
      throw error;
    }
  }
}

/** What cannot be read now changes nothing: neither timings nor, above all, that work goes on. */
async function unlessUnreadable<Sources>(reading: Promise<Sources>): Promise<Sources | undefined> {
  return await reading.catch(() => undefined);
}
