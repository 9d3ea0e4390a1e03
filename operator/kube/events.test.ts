import { beforeEach, expect, test } from "vitest";
import type { KubeClient } from "./client.ts";
import { EventRecorder } from "./events.ts";
import type { KubeObject, Resource } from "./types.ts";

const object: KubeObject = {
  apiVersion: "lemnis.dev/v1",
  kind: "Model",
  metadata: { name: "wine", namespace: "a", uid: "u" },
};
const event = { type: "Warning", reason: "GatesFailed", message: "too bad" } as const;

let written: (KubeObject & { note?: string })[];
let now: Date;
let refuse: boolean;
let errors: unknown[];
let recorder: EventRecorder;

beforeEach(() => {
  written = [];
  errors = [];
  refuse = false;
  now = new Date("2026-03-01T10:00:00.123Z");
  const create = async (_: Resource, made: KubeObject) => {
    if (refuse) throw new Error("no room");
    written.push(made);
  };
  const options = { instance: "operator-0", now: () => now, onError: (error: unknown) => errors.push(error) };
  recorder = new EventRecorder({ create } as unknown as KubeClient, options);
});

test("an Event names its object, in its namespace, with the time as the API server wants it", async () => {
  await recorder.record(object, event);
  expect(written).toMatchObject([
    {
      ...{
        kind: "Event",
        eventTime: "2026-03-01T10:00:00.123000Z",
        type: "Warning",
        reason: "GatesFailed",
        note: "too bad",
      },
      metadata: { namespace: "a", name: expect.stringMatching(/^wine\.[0-9a-f]+$/) },
      regarding: { kind: "Model", name: "wine", uid: "u" },
    },
  ]);
});

test("the same is said once in ten minutes; another message, or another object's, is said", async () => {
  await recorder.record(object, event);
  await recorder.record(object, event);
  expect(written).toHaveLength(1);
  await recorder.record(object, { ...event, message: "worse" });
  await recorder.record({ ...object, metadata: { ...object.metadata, uid: "v" } }, event);
  expect(written).toHaveLength(3);
  now = new Date(now.getTime() + 10 * 60_000);
  await recorder.record(object, event);
  expect(written).toHaveLength(4);
});

test("what was said long before ten thousand others is no longer remembered", async () => {
  await recorder.record(object, event);
  for (let index = 0; index < 10_000; index++) await recorder.record(object, { ...event, message: String(index) });
  written = [];
  await recorder.record(object, { ...event, message: "9999" });
  await recorder.record(object, event);
  expect(written.map(({ note }) => note)).toEqual([event.message]);
});

test("one that can't be written is told to the log and tried again the next time", async () => {
  refuse = true;
  await recorder.record(object, event);
  expect(errors).toHaveLength(1);
  refuse = false;
  await recorder.record(object, event);
  expect(written).toHaveLength(1);
});

test.each([
  ["x".repeat(1024), "x".repeat(1024)],
  ["x".repeat(1025), `${"x".repeat(1021)}...`],
  ["ß".repeat(600), `${"ß".repeat(510)}...`],
  ["🍷".repeat(300), `${"🍷".repeat(255)}...`],
])("a long message is cut to the bytes that Kubernetes takes, between two characters", async (message, note) => {
  await recorder.record(object, { ...event, message });
  expect(written[0]?.note).toBe(note);
});
