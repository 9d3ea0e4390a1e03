import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { clusterName, volumeDir } from "../layout.ts";
import { applyObjects, kubectl } from "./kubectl.ts";

const poolSize = 16;
const poolLabel = "lemnis.dev/local-volume";

interface PersistentVolume {
  metadata: { name: string };
  status?: { phase?: string };
}

/** Makes the StorageClass `standard` (the default one) and its pool of volumes, and renews those whose claim is gone. */
export async function ensureVolumes(): Promise<void> {
  await deleteReleased();
  const names = Array.from({ length: poolSize }, (_, index) => `local-${String(index + 1).padStart(2, "0")}`);
  for (const name of names) makeFolder(join(volumeDir, name));
  await applyObjects([storageClass(), ...names.map(persistentVolume)]);
}

/** A volume serves one claim in its life; renewing it means deleting the object and what is in the folder. */
async function deleteReleased(): Promise<void> {
  const answer = JSON.parse(await kubectl(["get", "pv", "-l", poolLabel, "-o", "json"])) as {
    items: PersistentVolume[];
  };
  const released = answer.items
    .filter((volume) => volume.status?.phase === "Released" || volume.status?.phase === "Failed")
    .map((volume) => volume.metadata.name);
  if (released.length === 0) return;
  await kubectl(["delete", "pv", "--wait", ...released]);
  for (const name of released) rmSync(join(volumeDir, name), { recursive: true, force: true });
}

/** Writable by any user, as a fresh volume is on clusters whose pods set no fsGroup; with fsGroup the kubelet narrows it. */
function makeFolder(path: string): void {
  if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, 0o777);
}

function storageClass() {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "WaitForFirstConsumer",
    reclaimPolicy: "Retain",
  };
}

function persistentVolume(name: string) {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, labels: { [poolLabel]: "true" } },
    spec: {
      capacity: { storage: "10Gi" },
      accessModes: ["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"],
      storageClassName: "standard",
      persistentVolumeReclaimPolicy: "Retain",
      // `local` and not hostPath: only local volumes honour a pod's fsGroup.
      local: { path: join(volumeDir, name) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [clusterName] }] },
          ],
        },
      },
    },
  };
}
