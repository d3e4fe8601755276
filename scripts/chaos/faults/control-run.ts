import { pickOne } from "../../seeded-random.ts";
import type { Fault } from "./fault.ts";

/** A person pauses a run and resumes it later, or cancels it. */
export const controlRun: Fault = {
  name: "control-run",
  weight: 3,
  target: () => "run",
  inject: async ({ stage, random, wait, note }) => {
    const verb = random() < 0.7 ? "pause" : "cancel";
    const choice = random();
    // It asks a controller, which may be away: then nothing is ordered this time.
    const runs = await stage
      .api()
      .then((api) => api.runs())
      .catch(() => []);
    const running = runs.filter((run) => run.state === "running");
    const run = pickOne(() => choice, running);
    if (run === undefined) return;
    const { code } = await stage.command(verb, run.id);
    // It may have ended, or nobody was there to ask.
    if (code !== 0) return;
    await note({ verb, run: run.id });
    if (verb === "cancel") return;
    await wait(500, 6_000);
    await stage.command("resume", run.id, "--no-wait");
  },
};
