import { defineCommand } from "#cli/command.ts";
import { formatExplanation } from "#cli/output/format-explanation.ts";
import { formatRuleStatements } from "#cli/output/format-rule-statements.ts";
import { variableOption, variablesOf } from "#cli/variable-option.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatTopic } from "#cli/output/format-topic.ts";

export default defineCommand({
  name: "explain",
  summary:
    "say why something happens to an object, or does not; or what a key, a word or a code means",
  examples: [
    "thermocline explain /datasets/2024/january.csv",
    "thermocline explain bafy…",
    "thermocline explain rules.ensure.confidence",
    "thermocline explain config.queue",
    "thermocline explain heat_rank",
    "thermocline explain E0204",
    "thermocline explain cold-storage/demote-idle --sql",
  ],
  setup: (command) =>
    command
      .argument(
        "<subject>",
        "CID, path or number of an object; or a key, a word, a code; with --sql a policy",
      )
      .option("--at <time>", "explain an object as if it were this time (ISO 8601)")
      .option("--sql", "show the SQL of a policy, or of one rule of it: policy/rule")
      .addOption(variableOption()),
  async run(context, [subject], options) {
    const at = options.at === undefined ? {} : { at: options.at };
    if (options.sql === true) {
      const { api } = await context.connect();
      const request = { rule: subject, ...at, ...variablesOf(options) };
      const statements = await api.ruleStatements(request);
      context.print(() => formatRuleStatements(statements), { statements });
      return;
    }
    if (isTopic(subject)) {
      refuseTime(subject, options);
      const { describeTopic } = await import("#engine/documentation/describe-topic.ts");
      const topic = await describeTopic(subject);
      context.print(() => formatTopic(topic), { topic });
      return;
    }
    const { api } = await context.connect();
    const explanation = await api.explain({ object: subject, ...at, ...variablesOf(options) });
    context.print(() => formatExplanation(explanation, context.io.clock.now()), { explanation });
  },
});

/** Words mean the same at every time, and whatever variables are. */
function refuseTime(
  topic: string,
  { at, var: variables }: { readonly at?: string; readonly var?: unknown },
): void {
  if (at === undefined && variables === undefined) return;
  throw new EngineError("USAGE", `"${topic}" is a key, a word or a code: it has no --at or --var`, {
    hint: "leave them out, or name an object by its path (/…), CID or number; --sql for a policy",
  });
}

/** Longer than any key with its path, and shorter than any CID. */
const topicLengthMax = 45;

/** Objects are named by a path from the root, a number or a CID; nothing else looks like this. */
function isTopic(subject: string): boolean {
  return subject.length <= topicLengthMax && /^[A-Za-z_][\w.[\]-]*$/.test(subject);
}
