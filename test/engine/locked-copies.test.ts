import { randomUUID } from "node:crypto";
import {
  CreateBucketCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Engine } from "#engine.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { openBucket, referee } from "../drivers/s3-bucket.ts";
import { startVersitygw, versitygwMissing } from "../services/versitygw.ts";
import { coolPolicy } from "./cool-policy.ts";
import { runEngine } from "./running-engine.ts";

const why = versitygwMissing();
const server = sharedQueueServer();
const hour = 3_600_000;

describe.skipIf(why !== undefined)(`locked copies${why ? ` (skipped: ${why})` : ""}`, () => {
  test("what a bucket locks is met at its removal, planned no more until it ends, and then again", async () => {
    const gateway = await startVersitygw();
    onTestFinished(() => gateway.stop());
    const judge = referee(gateway);
    onTestFinished(() => judge.destroy());
    const Bucket = `locked-${randomUUID()}`;
    await judge.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const bucket = await openBucket(gateway, Bucket, {}, undefined, { backend: "hot" });
    await using running = await runEngine({
      queueUrl: server.url,
      policy: coolPolicy,
      driver: (opened, backend) => (backend === "hot" ? bucket : opened),
    });
    const { engine } = running;
    await running.importFiles(3);
    const [held = "", retained = ""] = await cidsOf(engine);
    const hold = async (Status: "ON" | "OFF"): Promise<void> => {
      const LegalHold = { Status };
      await judge.send(new PutObjectLegalHoldCommand({ Bucket, Key: held, LegalHold }));
    };
    await hold("ON");
    const RetainUntilDate = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + hour);
    const Retention = { Mode: "GOVERNANCE", RetainUntilDate } as const;
    await judge.send(new PutObjectRetentionCommand({ Bucket, Key: retained, Retention }));

    // Nobody had looked since they were locked: the removals are refused, and that is remembered.
    expect(planned(await engine.plan({}))).toEqual({ actions: 3, blocked: [] });
    const first = await running.applyToEnd();
    expect(first.progress).toMatchObject({ done: 1, skipped: 2, failed: 0 });
    const locked = { reason: "locked", objects: 2 };
    expect(planned(await engine.plan({}))).toMatchObject({ actions: 0, blocked: [locked] });
    const until = RetainUntilDate.toISOString();
    const shown = (await engine.object(retained)).copies.find(({ backend }) => backend === "hot");
    expect(shown?.lock).toMatchObject({ legalHold: false, until, mode: "GOVERNANCE" });
    const words = (await engine.explain({ object: retained })).conclusion;
    expect(words[1]).toContain(`locked by the backend until ${until} (GOVERNANCE)`);
    // The time of the retention ends it, though nobody looks.
    const at = new Date(RetainUntilDate.getTime() + 1).toISOString();
    const later = planned(await engine.plan({ at }));
    expect(later).toMatchObject({ actions: 1, blocked: [{ ...locked, objects: 1 }] });

    await hold("OFF");
    expect(planned(await engine.plan({}))).toMatchObject({ actions: 0 });
    const inventory = await Array.fromAsync(engine.importInventory({ backend: "hot" }));
    expect(inventory.at(-1)?.locks).toEqual({ asked: 2, locked: 1 });
    const open = planned(await engine.plan({}));
    expect(open).toMatchObject({ actions: 1, blocked: [{ ...locked, objects: 1 }] });
    const second = await running.applyToEnd();
    expect(second.progress).toMatchObject({ done: 1, skipped: 0 });
    expect(running.errors).toEqual([]);
  }, 180_000);
});

async function cidsOf(engine: Engine): Promise<readonly string[]> {
  const objects = await Array.fromAsync(engine.objects({}));
  return objects.flat().map(({ cid }) => cid);
}

function planned({ plan }: Awaited<ReturnType<Engine["plan"]>>) {
  const { totals, blocked } = plan.header;
  return { actions: totals.actions, blocked };
}
