import { beforeEach, describe, expect, test } from "vitest";
import { applyIfChanged, NameTakenError } from "./apply.ts";
import type { KubeClient } from "./client.ts";
import { ApiError } from "./errors.ts";
import { services } from "./resources.ts";
import type { KubeObject, ObjectMeta, OwnerReference, Resource } from "./types.ts";

type Body = KubeObject & { spec: object };

const owner = (name: string, uid = `uid of ${name}`): OwnerReference => ({
  ...{ apiVersion: "lemnis.dev/v1alpha1", kind: "InferenceService" },
  ...{ name, uid, controller: true, blockOwnerDeletion: true },
});
const wanted = (spec: object = { port: 80 }, metadata: Partial<ObjectMeta> = {}): Body => ({
  ...{ apiVersion: "v1", kind: "Service" },
  metadata: { name: "wine", namespace: "a", ownerReferences: [owner("wine")], ...metadata },
  spec,
});

/** What the server has, and what it was sent, each with how. */
let stored: KubeObject | undefined;
let sent: [how: "make" | "amend" | "apply", body: { metadata: Partial<ObjectMeta> }][];
let reads: number;
let refusal: ApiError | undefined;

const conflict = new ApiError("apply Service wine", 409, { reason: "Conflict" });
const write = (how: "make" | "amend" | "apply", object: KubeObject) => {
  const version = String(Number(stored?.metadata.resourceVersion ?? 6) + 1);
  const operation = how === "apply" ? "Apply" : "Update";
  const managedFields = stored?.metadata.managedFields ?? [{ manager: "lemnis", operation }];
  stored = { ...object, metadata: { managedFields, ...object.metadata, uid: "given", resourceVersion: version } };
  return stored.metadata;
};
const read = async () => {
  reads++;
  if (!stored) throw new ApiError("get Service wine", 404);
  return stored;
};
/** As the API server does it: a version must be that of the object, a uid too, and an absent one has neither. */
const client = {
  get: read,
  getMetadata: read,
  make: async (_: Resource, object: KubeObject) => {
    sent.push(["make", object]);
    if (refusal) throw refusal;
    if (stored) throw new ApiError("create Service wine", 409, { reason: "AlreadyExists" });
    return write("make", object);
  },
  amend: async (_: Resource, seen: ObjectMeta, changes: Partial<ObjectMeta>) => {
    sent.push(["amend", { metadata: changes }]);
    if (seen.resourceVersion !== stored?.metadata.resourceVersion) throw conflict;
    const { labels, annotations } = stored?.metadata ?? {};
    const maps = { labels: { ...labels, ...changes.labels }, annotations: { ...annotations, ...changes.annotations } };
    return write("amend", { ...(stored as Body), metadata: { ...(stored as Body).metadata, ...changes, ...maps } });
  },
  apply: async (_: Resource, object: KubeObject) => {
    sent.push(["apply", object]);
    const { uid, resourceVersion } = object.metadata;
    if (stored ? resourceVersion !== stored.metadata.resourceVersion : uid !== undefined) throw conflict;
    return write("apply", object);
  },
} as unknown as KubeClient;

const apply = (object: KubeObject, observed?: KubeObject) =>
  applyIfChanged(client, { resource: services, object }, observed);
/** The object as the server has it after it was made. */
const make = async (object: KubeObject) => {
  await apply(object);
  return stored as Body;
};
const serve = (object: KubeObject): KubeObject => {
  stored = { ...object, metadata: { ...object.metadata, uid: "given", resourceVersion: "7" } };
  return stored;
};
const howSent = () => sent.map(([how]) => how);

beforeEach(() => {
  [stored, sent, reads, refusal] = [undefined, [], 0, undefined];
});

test("an object that is not there is made by one request", async () => {
  expect(await apply(wanted())).toMatchObject({ resourceVersion: "7" });
  expect([howSent(), reads]).toEqual([["make"], 0]);
});

describe("an object that is there", () => {
  /** After its first apply. */
  const makeAndApply = async (object: KubeObject) => {
    const made = await make(object);
    await apply(object, { ...made, spec: {} } as Body);
    [sent, reads] = [[], 0];
    return stored as Body;
  };

  test.each([
    ["was made", make],
    ["was applied", makeAndApply],
  ])("and %s and holds all of it is not sent, whatever the server has added", async (_, begin) => {
    const there = await begin(wanted());
    [sent, reads] = [[], 0];
    const kept = { ...there, spec: { ...there.spec, clusterIP: "10.0.0.1" }, status: {} };
    expect(await apply(wanted(), kept)).toBeUndefined();
    expect([sent, reads]).toEqual([[], 0]);
  });

  test.each<[string, object, (made: Body) => Body]>([
    ["was changed by others", { port: 80 }, (made) => ({ ...made, spec: { port: 81 } })],
    ["holds a field that is no longer wanted", {}, (made) => made],
  ])("and %s is put right, at the very version that was seen", async (_, spec, change) => {
    const seen = change(await makeAndApply(wanted()));
    const { uid, resourceVersion } = seen.metadata;
    expect(await apply(wanted(spec), seen)).toBeDefined();
    expect(sent).toMatchObject([["apply", { spec, metadata: { uid, resourceVersion } }]]);
    expect(reads).toBe(0);
  });

  test.each<[string, (made: Body) => Body]>([
    ["with its digest", (made) => made],
    ["and has lost its digest", ({ metadata, ...made }) => ({ ...made, metadata: { ...metadata, annotations: {} } })],
  ])("and was made %s becomes the apply's before it is changed for the first time", async (_, change) => {
    const made = change(await make(wanted()));
    await apply(wanted({ port: 81 }), made);
    expect(sent.slice(1)).toMatchObject([
      ["amend", { metadata: { managedFields: [{ manager: "lemnis", operation: "Apply" }] } }],
      ["apply", { spec: { port: 81 }, metadata: { uid: "given", resourceVersion: "8" } }],
    ]);
  });

  test("is the apply's once, also when the process ended between the two", async () => {
    const made = await make(wanted());
    const managedFields = [
      { manager: "kubelet", operation: "Update" as const, subresource: "status" },
      { manager: "lemnis", operation: "Apply" as const },
    ];
    serve({ ...made, metadata: { ...made.metadata, managedFields } });
    await apply(wanted({ port: 81 }), stored);
    expect(howSent()).toEqual(["make", "apply"]);
  });

  test.each<[string, (made: Body) => void, RegExp]>([
    ["has changed", () => serve(wanted({ port: 82 })), /the cache is behind: Service wine is at version 7/],
    ["is gone, and is not made anew", () => (stored = undefined), /404/],
  ])("but was made and %s since it was seen is an error", async (_, happen, message) => {
    const made = await make(wanted({ port: 81 }));
    const seen = { ...made, metadata: { ...made.metadata, resourceVersion: "6" } };
    happen(made);
    await expect(apply(wanted(), seen)).rejects.toThrow(message);
    expect(howSent()).toEqual(["make"]);
  });

  test.each<[string, () => void]>([
    ["has changed", () => serve(wanted({ port: 82 }))],
    ["is gone, and is not made anew", () => (stored = undefined)],
  ])("but was applied and %s since it was seen is a conflict", async (_, happen) => {
    const seen = await makeAndApply(wanted({ port: 81 }));
    happen();
    await expect(apply(wanted(), seen)).rejects.toBe(conflict);
    expect(howSent()).toEqual(["apply"]);
  });

  test("carries a digest of what was wanted, beside its own annotations, and no other", async () => {
    const made = await make(wanted({ port: 80 }, { annotations: { own: "1" } }));
    await apply(wanted({ port: 81 }, { annotations: { own: "1" } }), made);
    const [first, second] = [sent[0], sent.at(-1)].map((entry) => entry?.[1].metadata.annotations);
    expect(first).toEqual({ own: "1", "lemnis.dev/applied-hash": expect.stringMatching(/^made-[0-9a-f]{16}$/) });
    expect(second).toEqual({ own: "1", "lemnis.dev/applied-hash": expect.stringMatching(/^[0-9a-f]{16}$/) });
  });
});

describe("what is made once", () => {
  const once = (observed?: KubeObject) =>
    applyIfChanged(client, { resource: services, object: wanted({ suspend: true }), once: true }, observed);
  const admitted = { suspend: false, place: "here" };

  test("is not applied, and keeps what others have made of it, also when the cache did not know of it", async () => {
    expect(await once()).toMatchObject({ uid: "given", resourceVersion: "7" });
    serve({ ...stored, spec: admitted } as Body);
    expect([await once(stored), reads]).toEqual([undefined, 0]);
    expect([await once(), reads]).toEqual([undefined, 1]);
    expect(stored).toMatchObject({ spec: admitted });
    expect(howSent()).toEqual(["make", "make"]);
  });

  test("becomes its owner's again with the spec, the labels and the other owners that it has", async () => {
    await once();
    const other: OwnerReference = { apiVersion: "v1", kind: "ConfigMap", name: "theirs", uid: "of theirs" };
    const labels = { theirs: "yes" };
    const metadata = { ...stored?.metadata, labels, ownerReferences: [owner("wine", "former"), other] };
    const served = serve({ ...stored, metadata, spec: admitted } as Body);
    // The cache has dropped the rest of the spec.
    await once({ ...served, spec: { suspend: false } } as Body);
    expect(stored).toMatchObject({ metadata: { labels, ownerReferences: [owner("wine"), other] }, spec: admitted });
    expect([howSent(), reads]).toEqual([["make", "amend"], 0]);
  });

  test("and has changed since it was seen is a conflict", async () => {
    await once();
    const seen = wanted({}, { ...stored?.metadata, ownerReferences: [], resourceVersion: "5" });
    await expect(once(seen)).rejects.toBe(conflict);
  });
});

describe("a name is taken, and nothing is written, when what has it", () => {
  const foreign = (metadata: Partial<ObjectMeta>) => wanted({ port: 80 }, { ownerReferences: [], ...metadata });

  test.each<[string, KubeObject]>([
    ["is nobody's", foreign({})],
    ["has our label, but we have not made it", foreign({ labels: { "app.kubernetes.io/managed-by": "lemnis" } })],
    ["belongs to another of ours", foreign({ ownerReferences: [owner("beer")] })],
    [
      "belongs to a kind of our kind's name",
      foreign({ ownerReferences: [{ ...owner("wine"), apiVersion: "serving.kserve.io/v1beta1" }] }),
    ],
    ["belongs to another controller", foreign({ ownerReferences: [{ ...owner("wine"), kind: "HelmRelease" }] })],
  ])("%s", async (_, existing) => {
    const before = serve(existing);
    await expect(apply(wanted(), before)).rejects.toThrow(NameTakenError);
    expect(sent).toEqual([]);
    await expect(apply(wanted())).rejects.toThrow(/^Service wine exists already .* delete or rename it/);
    expect([stored, howSent()]).toEqual([before, ["make"]]);
  });
});

describe("an object is ours still", () => {
  test("when the cache has lost it with its label", async () => {
    serve(wanted({ port: 81 }));
    expect(await apply(wanted())).toBeDefined();
    expect(stored).toMatchObject({ spec: { port: 80 } });
    expect(howSent()).toEqual(["make", "amend", "apply"]);
  });

  test.each<[string, OwnerReference[]]>([
    ["its owner's former self has left to the collector", [owner("wine", "former")]],
    ["was orphaned", []],
  ])("when %s", async (_, ownerReferences) => {
    const made = await make(wanted());
    await apply(wanted(), { ...made, metadata: { ...made.metadata, ownerReferences } });
    expect(stored).toMatchObject({ metadata: { ownerReferences: [owner("wine")] } });
  });
});

test("other refusals are passed on", async () => {
  refusal = new ApiError("apply Service wine", 422, { reason: "Invalid" });
  await expect(apply(wanted())).rejects.toBe(refusal);
});
