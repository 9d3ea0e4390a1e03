/** The checker finds what it is there to find: a history that breaks each rule, and one that breaks none. */
import { describe, expect, test } from "vitest";
import { apiVersion } from "../../operator/api/v1alpha1/common.ts";
import type { Happening, Seen } from "./history.ts";
import { violations, writesElsewhere, writesWithoutLease } from "./invariants.ts";
import type { Write } from "./proxy.ts";

const namespace = "team-a";
let revision = 0;

function happening(type: Happening["type"], object: Partial<Seen>, at = 0): Happening {
  revision++;
  const metadata = { namespace, name: "wine", generation: 1, resourceVersion: String(revision), ...object.metadata };
  return { type, revision: BigInt(revision), at, object: { apiVersion: "v1", kind: "", ...object, metadata } };
}
const added = (object: Partial<Seen>) => happening("added", object);
const modified = (object: Partial<Seen>) => happening("modified", object);
const deleted = (object: Partial<Seen>, at = 0) => happening("deleted", object, at);

const ours = (kind: string, rest: object = {}) => ({
  apiVersion,
  kind,
  metadata: { name: "wine", uid: kind },
  ...rest,
});
const ownedBy = (kind: string, uid = kind) => ({
  ownerReferences: [{ apiVersion, kind, name: "wine", uid, controller: true }],
});
const job = (name: string, status: object = {}) => ({
  kind: "Job",
  metadata: { name, uid: name, annotations: { "lemnis.dev/run": '{"digest":"sha256:1"}' }, ...ownedBy("TrainingJob") },
  status,
});
const complete = { conditions: [{ type: "Complete", status: "True" }] };
const deployment = (name: string, readyReplicas: number, version = 1) => ({
  kind: "Deployment",
  metadata: {
    name,
    uid: name,
    annotations: { "lemnis.dev/model-version": String(version) },
    ...ownedBy("InferenceService"),
  },
  status: { readyReplicas, observedGeneration: 1 },
});
const front = (workload: string) => ({
  kind: "Service",
  metadata: { name: "wine", labels: { "lemnis.dev/inferenceservice": "wine" }, ...ownedBy("InferenceService") },
  spec: { selector: { "lemnis.dev/workload": workload } },
});
const observed = (observedGeneration: number) => ours("Model", { status: { observedGeneration } });
const service = ours("InferenceService", { spec: { modelRef: { name: "wine" } } });
const judged = (stage: string) => ours("Model", { status: { versions: [{ version: 1, stage }] } });

const write = (fields: Partial<Write>) => fields as Write;
const deletion = (uid: string) =>
  write({ verb: "delete", body: Buffer.from(JSON.stringify({ preconditions: { uid } })) });
const check = (history: Happening[], writes: Write[] = [], foreign: string[] = []) =>
  violations(history, { writes, foreign: new Set(foreign) });

const versions = (...stages: string[]) =>
  ours("Model", { status: { versions: stages.map((stage, index) => ({ version: index + 1, stage })) } });
const serving = (readyReplicas = 0) => [
  ...[added(service), added(deployment("one", 1)), added(front("one"))],
  added(deployment("two", readyReplicas, 2)),
];

describe("a history in which", () => {
  test.each<[string, () => Happening[], Write[]]>([
    [
      "S1: Job late was made for TrainingJob",
      () => [deleted(ours("TrainingJob"), -60_000), added(job("late")), deleted(job("late"))],
      [],
    ],
    [
      "S8: Job elsewhere was made for TrainingJob",
      () => {
        const leak = job("leak");
        return [
          added(ours("TrainingJob")),
          added({ ...leak, metadata: { ...leak.metadata, namespace: "elsewhere" } }),
          deleted({ ...leak, metadata: { ...leak.metadata, namespace: "elsewhere" } }),
        ];
      },
      [],
    ],
    [
      "S1: Job left has outlived TrainingJob",
      () => [added(ours("TrainingJob")), added(job("left")), deleted(ours("TrainingJob"))],
      [],
    ],
    [
      "S2: Job two runs what Job one runs",
      () => [added(ours("TrainingJob")), added(job("one")), added(job("two"))],
      [],
    ],
    [
      "S2: Job two runs what has succeeded",
      () => [
        added(ours("TrainingJob")),
        added(job("one")),
        modified(job("one", complete)),
        deleted(job("one")),
        added(job("two")),
      ],
      [],
    ],
    ["S3: traffic moved to two, which is not ready", () => [...serving(), modified(front("two"))], []],
    [
      "S3: Deployment one went while it had the traffic",
      () => [...serving(), deleted(deployment("one", 1))],
      [deletion("one")],
    ],
    [
      "S3: Deployment one serves version 1, which is Failed",
      () => [added(judged("Failed")), added(service), added(deployment("one", 1))],
      [],
    ],
    [
      "S3: Deployment two serves version 2, which is Failed",
      () => [
        ...[added(versions("Champion", "Passed")), ...serving(1), modified(versions("Champion", "Failed"))],
        happening("modified", front("two"), 60_000),
      ],
      [],
    ],
    [
      "S3: Deployment one serves version 1, which is unknown",
      () => [added(versions()), added(service), happening("added", deployment("one", 1), 60_000)],
      [],
    ],
    ["S6: observed generation 2, which is to come", () => [added(observed(2))], []],
    ["S6: went back from generation 1 to 0", () => [added(observed(1)), modified(observed(0))], []],
  ])("%s is found out", (says, history, writes) => {
    const words = says.replace(/^(S\d): /, "");
    const found = check(history(), writes);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${says.slice(0, 2)}: `));
    for (const word of words.split(" ").filter((text) => /^[a-z]+$/.test(text))) expect(found[0]).toContain(word);
  });

  test("all is as it should be passes", () => {
    const moved = [modified(deployment("two", 1, 2)), modified(front("two")), deleted(deployment("one", 1))];
    expect(check([added(versions("Champion", "Passed")), ...serving(), ...moved], [deletion("one")])).toEqual([]);
    const pinned = { ...service, spec: { modelRef: { name: "wine", version: 1 } } };
    expect(check([added(versions()), added(pinned), happening("added", deployment("one", 1), 60_000)])).toEqual([]);
    // The operator may not have heard yet of what changed a moment ago.
    const late = [...serving(1), modified(versions("Champion", "Failed")), modified(front("two"))];
    expect(check([added(versions("Champion", "Passed")), ...late])).toEqual([]);
    expect(check([added(ours("TrainingJob")), added(job("one")), modified(job("one", complete))])).toEqual([]);
    expect(check([added(observed(0)), modified(observed(1))])).toEqual([]);
  });

  test("an owner is made again passes: its children are not the former's, whenever that one is heard to be gone", () => {
    const again = { ...service, metadata: { ...service.metadata, uid: "again" } };
    const owned = <T extends { metadata: object }>(child: T) => ({
      ...child,
      metadata: { ...child.metadata, ...ownedBy("InferenceService", "again") },
    });
    const left = [...serving(), deleted(service, -60_000), added(again), added(owned(deployment("three", 0)))];
    const collected = ["one", "two"].map((name) => deleted(deployment(name, 1)));
    expect(check([...left, modified(owned(front("three"))), ...collected])).toEqual([]);
    const heardLate = [added(service), added(again), deleted(service, -60_000)];
    expect(check([...heardLate, added(owned(deployment("one", 1)))])).toEqual([]);
    expect(check([...heardLate, added(deployment("one", 1)), deleted(deployment("one", 1))])).toHaveLength(1);
  });

  test("others move the traffic, or delete what has it, is not the operator's doing", () => {
    const rivals = modified(front("two"));
    expect(check([...serving(), rivals], [], [rivals.object.metadata.resourceVersion ?? ""])).toEqual([]);
    expect(check([...serving(), deleted(deployment("one", 1))])).toEqual([]);
  });
});

const lease = (holderIdentity: string, at = 0) =>
  happening("modified", { kind: "Lease", metadata: { name: "lemnis-operator" }, spec: { holderIdentity } }, at);

describe("S7:", () => {
  const by = (writer: string, { revision }: Happening, fields: Partial<Write> = {}) => ({
    writer,
    write: write({ verb: "patch", status: 200, resourceVersion: String(revision), sentAt: 0, ...fields }),
  });
  const deletes = (writer: string, uid: string) => ({ writer, write: { ...deletion(uid), status: 200, sentAt: 0 } });

  test("who writes while another holds the lease is found out", () => {
    const [a, first, b, second] = [lease("a"), added(ours("Model")), lease("b"), added(ours("Dataset"))];
    const history = [a, first, b, second];
    expect(writesWithoutLease(history, [by("a", first), by("b", second)])).toEqual([]);
    expect(writesWithoutLease(history, [by("b", first), by("a", second)])).toHaveLength(2);
    expect(writesWithoutLease(history, [by("b", first, { status: 409 })])).toEqual([]);
  });

  test("a write that comes late, when another leads, is found out if it undoes something", () => {
    const late = { plural: "models", namespace, name: "wine", isLate: true };
    const [a, b, changed, second] = [lease("a"), lease("b"), modified(ours("Model")), modified(ours("Model"))];
    expect(writesWithoutLease([a, b, second], [by("a", second, late)])).toEqual([]);
    expect(writesWithoutLease([a, b, second], [by("a", second)])).toHaveLength(1);
    expect(writesWithoutLease([a, b, changed, second], [by("a", second, late)])).toHaveLength(1);
    expect(writesWithoutLease([b, second], [by("a", second, late)])).toHaveLength(1);
    expect(writesWithoutLease([a, b, second], [by("a", second, { ...late, sentAt: 16_000 })])).toHaveLength(1);
  });

  test("who deletes while another holds the lease is found out, though the answer names no version", () => {
    const history = [lease("a"), deleted(job("one")), lease("b"), deleted(job("two"))];
    expect(writesWithoutLease(history, [deletes("a", "one"), deletes("b", "two")])).toEqual([]);
    expect(writesWithoutLease(history, [deletes("b", "one"), deletes("a", "two")])).toHaveLength(2);
    expect(writesWithoutLease(history, [deletes("a", "three")])).toHaveLength(1);
  });

  test("who writes when the lease was renewed too long ago is found out, though nobody has taken it", () => {
    const history = [lease("a"), added(ours("Model"))];
    const [, model] = history as [Happening, Happening];
    expect(writesWithoutLease(history, [by("a", model, { sentAt: 14_000 })])).toEqual([]);
    expect(writesWithoutLease(history, [by("a", model, { sentAt: 16_000 })])).toHaveLength(1);
    expect(writesWithoutLease([...history, lease("a", 15_000)], [by("a", model, { sentAt: 16_000 })])).toHaveLength(1);
  });
});

test("S8: a write in another namespace is found out, whoever owns what is written", () => {
  const into = (namespace: string) => write({ verb: "post", plural: "events", namespace });
  expect(writesElsewhere([into("team-a"), into("team-b")], "team-a")).toHaveLength(1);
});
