import { defineCommand } from "#cli/command.ts";
import { formatExplanation } from "#cli/output/format-explanation.ts";
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
  ],
  setup: (command) =>
    command
      .argument("<subject>", "CID, path or number of an object; or a key, a word, a code")
      .option("--at <time>", "explain an object as if it were this time (ISO 8601)"),
  async run(context, [subject], options) {
    if (isTopic(subject)) {
      const { describeTopic } = await import("#engine/documentation/describe-topic.ts");
      const topic = await describeTopic(subject);
      context.print(() => formatTopic(topic), { topic });
      return;
    }
    const { api } = await context.connect();
    const request =
      options.at === undefined ? { object: subject } : { object: subject, at: options.at };
    const explanation = await api.explain(request);
    context.print(() => formatExplanation(explanation, context.io.clock.now()), { explanation });
  },
});

/** Longer than any key with its path, and shorter than any CID. */
const topicLengthMax = 45;

/** Objects are named by a path from the root, a number or a CID; nothing else looks like this. */
function isTopic(subject: string): boolean {
  return subject.length <= topicLengthMax && /^[A-Za-z_][\w.[\]-]*$/.test(subject);
}
