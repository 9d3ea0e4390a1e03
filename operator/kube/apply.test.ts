import { beforeEach, describe, expect, test } from "vitest";
import { ChildServer, conflict } from "../../test/builders/child-server.ts";
import { applyIfChanged, NameTakenError } from "./apply.ts";
import { ApiError } from "./errors.ts";
import { services } from "./resources.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "./types.ts";

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

let server: ChildServer;
beforeEach(() => {
  server = new ChildServer();
});

const apply = (object: KubeObject, observed?: KubeObject) =>
  applyIfChanged(server.client, { resource: services, object }, observed);
/** The object as the server has it after it was made. */
const make = async (object: KubeObject) => {
  await apply(object);
  return server.stored as Body;
};

test("an object that is not there is made by one request", async () => {
  expect(await apply(wanted())).toMatchObject({ resourceVersion: "7" });
  expect([server.howSent, server.reads]).toEqual([["make"], 0]);
});

describe("an object that is there", () => {
  /** After its first apply. */
  const makeAndApply = async (object: KubeObject) => {
    const made = await make(object);
    await apply({ ...object, spec: { port: 8080 } } as Body, made);
    await apply(object, server.stored);
    server.forget();
    return server.stored as Body;
  };

  test.each([
    ["was made", make],
    ["was applied", makeAndApply],
  ])("and %s and holds all of it is not sent, whatever the server has added", async (_, begin) => {
    const there = await begin(wanted());
    server.forget();
    const kept = { ...there, spec: { ...there.spec, clusterIP: "10.0.0.1" }, status: {} };
    expect(await apply(wanted(), kept)).toBeUndefined();
    expect([server.sent, server.reads]).toEqual([[], 0]);
  });

  test.each<[string, object, (made: Body) => Body]>([
    ["was changed by others", { port: 80 }, (made) => ({ ...made, spec: { port: 81 } })],
    ["holds a field that is no longer wanted", {}, (made) => made],
  ])("and %s is put right, at the very version that was seen", async (_, spec, change) => {
    const seen = change(await makeAndApply(wanted()));
    const { uid, resourceVersion } = seen.metadata;
    expect(await apply(wanted(spec), seen)).toBeDefined();
    expect(server.sent).toMatchObject([["apply", { spec, metadata: { uid, resourceVersion } }]]);
    expect(server.reads).toBe(0);
  });

  test("and was made and then changed by others is put right by one request, again and again", async () => {
    const made = await make(wanted());
    for (const version of ["7", "8"]) {
      const { uid, annotations } = (server.stored as Body).metadata;
      await apply(wanted(), { ...(server.stored as Body), spec: { port: 81 } } as Body);
      const metadata = { uid, resourceVersion: version, annotations };
      expect(server.sent.at(-1)).toMatchObject(["apply", { spec: made.spec, metadata }]);
    }
    expect([server.howSent, server.reads]).toEqual([["make", "apply", "apply"], 0]);
  });

  type Fields = ObjectMeta["managedFields"];
  const kubelet = { manager: "kubelet", operation: "Update" as const, subresource: "status" };
  const [update, applied] = (["Update", "Apply"] as const).map((operation) => ({ manager: "lemnis", operation }));
  test.each<[string, Fields, Fields | undefined]>([
    ["becomes the apply's", [kubelet, update] as Fields, [kubelet, applied] as Fields],
    [
      "and applied as it was made is the apply's alone",
      [kubelet, update, applied] as Fields,
      [kubelet, applied] as Fields,
    ],
    ["is the apply's already when the process ended between the two", [kubelet, applied] as Fields, undefined],
  ])("and was made %s before something else is applied", async (_, managedFields, claimed) => {
    const made = await make(wanted());
    const seen = server.serve({ ...made, metadata: { ...made.metadata, managedFields } as ObjectMeta });
    await apply(wanted({ port: 81 }), seen);
    const resourceVersion = claimed ? "8" : "7";
    expect(server.sent.slice(1)).toEqual([
      ...(claimed ? [["amend", { metadata: { managedFields: claimed } }]] : []),
      [
        "apply",
        expect.objectContaining({ spec: { port: 81 }, metadata: expect.objectContaining({ resourceVersion }) }),
      ],
    ]);
    const [again, was] = [server.stored as Body, server.sent.length];
    await apply(wanted({ port: 82 }), again);
    expect(server.howSent.slice(was)).toEqual(["apply"]);
  });

  test("and has lost its digest becomes the apply's too: it may have been made", async () => {
    const { metadata, ...made } = await make(wanted());
    await apply(wanted(), { ...made, metadata: { ...metadata, annotations: {} } });
    expect(server.sent.slice(1)).toMatchObject([
      ["amend", { metadata: { managedFields: [applied] } }],
      ["apply", { spec: { port: 80 }, metadata: { uid: "given", resourceVersion: "8" } }],
    ]);
  });

  test.each<[string, (made: Body) => void, RegExp]>([
    ["has changed", () => server.serve(wanted({ port: 82 })), /the cache is behind: Service wine is at version 7/],
    ["is gone, and is not made anew", () => (server.stored = undefined), /404/],
  ])("but was made and %s since it was seen is an error", async (_, happen, message) => {
    const made = await make(wanted({ port: 81 }));
    const seen = { ...made, metadata: { ...made.metadata, resourceVersion: "6" } };
    happen(made);
    await expect(apply(wanted({ port: 83 }), seen)).rejects.toThrow(message);
    expect(server.howSent).toEqual(["make"]);
  });

  test.each<[string, () => void]>([
    ["has changed", () => server.serve(wanted({ port: 82 }))],
    ["is gone, and is not made anew", () => (server.stored = undefined)],
  ])("but was applied and %s since it was seen is a conflict", async (_, happen) => {
    const seen = await makeAndApply(wanted({ port: 81 }));
    happen();
    await expect(apply(wanted(), seen)).rejects.toBe(conflict);
    expect(server.howSent).toEqual(["apply"]);
  });

  test("carries a digest of what was wanted, beside its own annotations, and no other", async () => {
    const made = await make(wanted({ port: 80 }, { annotations: { own: "1" } }));
    await apply(wanted({ port: 81 }, { annotations: { own: "1" } }), made);
    const [first, second] = [server.sent[0], server.sent.at(-1)].map((entry) => entry?.[1].metadata.annotations);
    expect(first).toEqual({ own: "1", "lemnis.dev/applied-hash": expect.stringMatching(/^made-[0-9a-f]{16}$/) });
    expect(second).toEqual({ own: "1", "lemnis.dev/applied-hash": expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(first?.["lemnis.dev/applied-hash"]).not.toBe(`made-${second?.["lemnis.dev/applied-hash"]}`);
  });
});

describe("what is made once", () => {
  const once = (observed?: KubeObject) =>
    applyIfChanged(server.client, { resource: services, object: wanted({ suspend: true }), once: true }, observed);
  const admitted = { suspend: false, place: "here" };

  test("is not applied, and keeps what others have made of it, also when the cache did not know of it", async () => {
    expect(await once()).toMatchObject({ uid: "given", resourceVersion: "7" });
    server.serve({ ...server.stored, spec: admitted } as Body);
    expect([await once(server.stored), server.reads]).toEqual([undefined, 0]);
    expect([await once(), server.reads]).toEqual([undefined, 1]);
    expect(server.stored).toMatchObject({ spec: admitted });
    expect(server.howSent).toEqual(["make", "make"]);
  });

  test("becomes its owner's again with the spec, the labels and the other owners that it has", async () => {
    await once();
    const other: OwnerReference = { apiVersion: "v1", kind: "ConfigMap", name: "theirs", uid: "of theirs" };
    const labels = { theirs: "yes" };
    const metadata = { ...server.stored?.metadata, labels, ownerReferences: [owner("wine", "former"), other] };
    const served = server.serve({ ...server.stored, metadata, spec: admitted } as Body);
    // The cache has dropped the rest of the spec.
    await once({ ...served, spec: { suspend: false } } as Body);
    expect(server.stored).toMatchObject({
      metadata: { labels, ownerReferences: [owner("wine"), other] },
      spec: admitted,
    });
    expect([server.howSent, server.reads]).toEqual([["make", "amend"], 0]);
  });

  test("and has changed since it was seen is a conflict", async () => {
    await once();
    const seen = wanted({}, { ...server.stored?.metadata, ownerReferences: [], resourceVersion: "5" });
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
    const before = server.serve(existing);
    await expect(apply(wanted(), before)).rejects.toThrow(NameTakenError);
    expect(server.sent).toEqual([]);
    await expect(apply(wanted())).rejects.toThrow(/^Service wine exists already .* delete or rename it/);
    expect([server.stored, server.howSent]).toEqual([before, ["make"]]);
  });
});

describe("an object is ours still", () => {
  test("when the cache has lost it with its label", async () => {
    server.serve(wanted({ port: 81 }));
    expect(await apply(wanted())).toBeDefined();
    expect(server.stored).toMatchObject({ spec: { port: 80 } });
    expect(server.sent.at(-1)).toMatchObject(["apply", { metadata: { uid: "given", resourceVersion: "7" } }]);
  });

  test.each<[string, OwnerReference[]]>([
    ["its owner's former self has left to the collector", [owner("wine", "former")]],
    ["was orphaned", []],
  ])("when %s", async (_, ownerReferences) => {
    const made = await make(wanted());
    await apply(wanted(), { ...made, metadata: { ...made.metadata, ownerReferences } });
    expect(server.stored).toMatchObject({ metadata: { ownerReferences: [owner("wine")] } });
  });
});

test("other refusals are passed on", async () => {
  server.refusal = new ApiError("apply Service wine", 422, { reason: "Invalid" });
  await expect(apply(wanted())).rejects.toBe(server.refusal);
});
