import type { ObjectMeta } from "../../api/v1alpha1/common.ts";
import type { OwnerReference } from "../../kube/types.ts";

export interface Owner {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** The controller reference that makes the garbage collector delete a child after its owner. */
export function ownerReference(owner: Owner): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}
