/** An API server with one child, as far as making and changing it goes, and with what it was sent. */
import type { KubeClient } from "../../operator/kube/client.ts";
import { ApiError } from "../../operator/kube/errors.ts";
import type { KubeObject, ObjectMeta, Resource } from "../../operator/kube/types.ts";

type How = "make" | "amend" | "apply";

export const conflict = new ApiError("apply Service wine", 409, { reason: "Conflict" });

/** A version must be that of the object, a uid too, and an absent one has neither. */
export class ChildServer {
  stored: KubeObject | undefined;
  sent: [how: How, body: { metadata: Partial<ObjectMeta> }][] = [];
  reads = 0;
  refusal: ApiError | undefined;

  get client(): KubeClient {
    return this as unknown as KubeClient;
  }

  get howSent(): How[] {
    return this.sent.map(([how]) => how);
  }

  /** What it was asked until now. */
  forget(): void {
    [this.sent, this.reads] = [[], 0];
  }

  /** Has the object at version 7. */
  serve<T extends KubeObject>(object: T): T {
    const served = { ...object, metadata: { ...object.metadata, uid: "given", resourceVersion: "7" } };
    this.stored = served;
    return served;
  }

  async get(): Promise<KubeObject> {
    this.reads++;
    if (!this.stored) throw new ApiError("get Service wine", 404);
    return this.stored;
  }

  getMetadata(): Promise<KubeObject> {
    return this.get();
  }

  async make(_: Resource, object: KubeObject): Promise<ObjectMeta> {
    this.sent.push(["make", object]);
    if (this.refusal) throw this.refusal;
    if (this.stored) throw new ApiError("create Service wine", 409, { reason: "AlreadyExists" });
    return this.#write("make", object);
  }

  async amend(_: Resource, seen: ObjectMeta, changes: Partial<ObjectMeta>): Promise<ObjectMeta> {
    this.sent.push(["amend", { metadata: changes }]);
    const there = this.stored;
    if (!there || seen.resourceVersion !== there.metadata.resourceVersion) throw conflict;
    const { labels, annotations } = there.metadata;
    const maps = { labels: { ...labels, ...changes.labels }, annotations: { ...annotations, ...changes.annotations } };
    return this.#write("amend", { ...there, metadata: { ...there.metadata, ...changes, ...maps } });
  }

  async apply(_: Resource, object: KubeObject): Promise<ObjectMeta> {
    this.sent.push(["apply", object]);
    const { uid, resourceVersion } = object.metadata;
    const isRefused = this.stored ? resourceVersion !== this.stored.metadata.resourceVersion : uid !== undefined;
    if (isRefused) throw conflict;
    return this.#write("apply", object);
  }

  #write(how: How, object: KubeObject): ObjectMeta {
    const before = this.stored?.metadata;
    const resourceVersion = String(Number(before?.resourceVersion ?? 6) + 1);
    const operation = how === "apply" ? "Apply" : "Update";
    const managedFields = before?.managedFields ?? [{ manager: "lemnis", operation }];
    this.stored = { ...object, metadata: { managedFields, ...object.metadata, uid: "given", resourceVersion } };
    return this.stored.metadata;
  }
}
