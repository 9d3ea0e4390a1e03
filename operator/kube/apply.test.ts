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

/** What the server has, and what it was sent to apply. */
let stored: KubeObject | undefined;
let sent: KubeObject[];
let reads: number;
let refusal: ApiError | undefined;

const conflict = new ApiError("apply Service wine", 409, { reason: "Conflict" });
/** As the API server does it: a version must be that of the object, a uid too, and an absent one has neither. */
const client = {
  get: async () => {
    reads++;
    if (!stored) throw new ApiError("get Service wine", 404);
    return stored;
  },
  apply: async (_: Resource, object: KubeObject) => {
    sent.push(object);
    if (refusal) throw refusal;
    const { uid, resourceVersion } = object.metadata;
    if (stored ? resourceVersion !== stored.metadata.resourceVersion : uid !== undefined) throw conflict;
    const version = String(Number(stored?.metadata.resourceVersion ?? 6) + 1);
    stored = { ...object, metadata: { ...object.metadata, uid: "given", resourceVersion: version } };
    return stored.metadata;
  },
  make: async (_: Resource, object: KubeObject) => {
    if (stored) throw new ApiError("create Service wine", 409, { reason: "AlreadyExists" });
    if (object.metadata.resourceVersion) throw new ApiError("create Service wine", 400);
    return serve(object).metadata;
  },
  amend: async (_: Resource, metadata: ObjectMeta) => {
    if (!stored) throw new ApiError("patch Service wine", 404);
    if (metadata.resourceVersion !== stored.metadata.resourceVersion) throw conflict;
    const [labels, annotations] = (["labels", "annotations"] as const).map((map) => ({
      ...stored?.metadata[map],
      ...metadata[map],
    }));
    stored = {
      ...stored,
      metadata: { ...stored.metadata, ...metadata, labels, annotations, resourceVersion: "8" } as ObjectMeta,
    };
    return stored.metadata;
  },
} as unknown as KubeClient;

const apply = (object: KubeObject, observed?: KubeObject) =>
  applyIfChanged(client, { resource: services, object }, observed);
/** The object as the server has it after an apply. */
const make = async (object: KubeObject) => {
  await apply(object);
  return stored as Body;
};
const serve = (object: KubeObject): KubeObject => {
  stored = { ...object, metadata: { ...object.metadata, uid: "given", resourceVersion: "7" } };
  return stored;
};

beforeEach(() => {
  [stored, sent, reads, refusal] = [undefined, [], 0, undefined];
});

test("an object that is not there is made by one request, which could not change another", async () => {
  expect(await apply(wanted())).toMatchObject({ resourceVersion: "7" });
  expect(sent).toMatchObject([{ metadata: { resourceVersion: "1" } }]);
  expect(reads).toBe(0);
});

describe("an object that is there", () => {
  test("and holds all of it is not sent, whatever the server has added", async () => {
    const made = await make(wanted());
    const kept = { ...made, spec: { ...made.spec, clusterIP: "10.0.0.1" }, status: {} };
    expect(await apply(wanted(), kept)).toBeUndefined();
    expect([sent.length, reads]).toEqual([1, 0]);
  });

  test.each<[string, object, (made: Body) => Body]>([
    ["was changed by others", { port: 80 }, (made) => ({ ...made, spec: { port: 81 } })],
    ["holds a field that is no longer wanted", {}, (made) => made],
    ["has lost our digest", { port: 80 }, (made) => ({ ...made, metadata: { ...made.metadata, annotations: {} } })],
  ])("and %s is put right, at the very version that was seen", async (_, spec, change) => {
    const made = await make(wanted());
    expect(await apply(wanted(spec), change(made))).toBeDefined();
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({ spec, metadata: { uid: "given", resourceVersion: "7" } });
    expect(reads).toBe(0);
  });

  test.each<[string, () => void]>([
    [
      "has changed",
      () => serve(wanted({ port: 82 })) && Object.assign(stored?.metadata ?? {}, { resourceVersion: "9" }),
    ],
    ["is gone, and is not made anew", () => (stored = undefined)],
  ])("but %s since it was seen is a conflict", async (_, happen) => {
    const seen = serve(wanted({ port: 81 }));
    happen();
    await expect(apply(wanted(), seen)).rejects.toBe(conflict);
    expect(sent).toHaveLength(1);
  });

  test("carries a digest of what was wanted, beside its own annotations, and no other", async () => {
    const made = await make(wanted({ port: 80 }, { annotations: { own: "1" } }));
    await apply(wanted({ port: 81 }, { annotations: { own: "1" } }), made);
    const [first, second] = sent.map(({ metadata }) => metadata.annotations ?? {});
    expect(first).toEqual({ own: "1", "lemnis.dev/applied-hash": expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(second?.["lemnis.dev/applied-hash"]).not.toBe(first?.["lemnis.dev/applied-hash"]);
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
    expect(sent).toEqual([]);
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
    expect([sent, reads]).toEqual([[], 0]);
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
    expect(stored).toBe(before);
  });
});

describe("an object is ours still", () => {
  test("when the cache has lost it with its label", async () => {
    serve(wanted({ port: 81 }));
    expect(await apply(wanted())).toBeDefined();
    expect(stored).toMatchObject({ spec: { port: 80 } });
    expect(sent.at(-1)).toMatchObject({ metadata: { uid: "given", resourceVersion: "7" } });
  });

  test.each<[string, OwnerReference[]]>([
    ["its owner's former self has left to the collector", [owner("wine", "former")]],
    ["was orphaned", []],
  ])("when %s", async (_, ownerReferences) => {
    const made = await make(wanted());
    await apply(wanted(), { ...made, metadata: { ...made.metadata, ownerReferences } });
    expect(sent[1]).toMatchObject({ metadata: { ownerReferences: [owner("wine")] } });
  });
});

test("other refusals are passed on", async () => {
  refusal = new ApiError("apply Service wine", 422, { reason: "Invalid" });
  await expect(apply(wanted())).rejects.toBe(refusal);
});
