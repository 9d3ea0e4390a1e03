import { join } from "node:path";
import { withProgress } from "../cluster/progress.ts";
import { helm, kubectl, type Target } from "./target.ts";

export const root = join(import.meta.dirname, "../..");
export const release = "lemnis";
export const systemNamespace = "lemnis-system";

export interface Images {
  /** The operator's, the store's and the agent's image, as repository:tag. */
  lemnis: string;
  /** The image that trains and serves scikit-learn models. */
  sklearn: string;
  /** The content of the lemnis image, where its tag does not tell: another one restarts the operator and the store. */
  key?: string;
}

/** Installs or upgrades the chart, and waits for its pods. */
export async function installChart(target: Target, images: Images, values: readonly string[] = []): Promise<void> {
  await withProgress(target.log, "helm upgrade --install lemnis charts/lemnis", () =>
    helm(target, [
      ...["upgrade", "--install", release, join(root, "charts/lemnis")],
      ...["--namespace", systemNamespace, "--create-namespace", "--wait", "--timeout", "5m"],
      ...setImage("image", images.lemnis),
      ...setImage("runtimes.sklearn.image", images.sklearn),
      ...(images.key
        ? ["operator", "store"].flatMap((part) => ["--set-string", `${part}.podAnnotations.image=${images.key}`])
        : []),
      ...values.flatMap((value) => ["--set", value]),
    ]),
  );
}

function setImage(path: string, image: string): string[] {
  const colon = image.lastIndexOf(":");
  if (colon < image.lastIndexOf("/")) throw new Error(`image ${image} needs a tag, such as ${image}:1.0`);
  return [
    "--set",
    `${path}.repository=${image.slice(0, colon)}`,
    "--set-string",
    `${path}.tag=${image.slice(colon + 1)}`,
  ];
}

/** Marks the namespaces of demos. */
const demoLabel = "lemnis.dev/demo";

/** Deletes the namespaces of earlier demos. */
export async function deleteNamespaces(target: Target): Promise<void> {
  await kubectl(target, ["delete", "namespace", "-l", `${demoLabel}=true`, "--wait=false"]);
}

/**
 * Makes the namespace that the example lives in. The store remembers what a namespace has trained, even when it is deleted, so a
 * demo that is to train needs a new one.
 */
export async function makeNamespace(target: Target): Promise<void> {
  const namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: target.namespace,
      // Every pod of Lemnis passes the strictest standard; here the API server holds it to that.
      labels: { [demoLabel]: "true", "pod-security.kubernetes.io/enforce": "restricted" },
    },
  };
  await kubectl(target, ["create", "-f", "-"], JSON.stringify(namespace));
}

/** A name that no demo had before: the minute in which it starts. */
export function freshNamespace(now: Date): string {
  const [, month, day, hour, minute, second] = now.toISOString().split(/[-T:.]/);
  return `lemnis-demo-${month}${day}-${hour}${minute}${second?.slice(0, 2)}`;
}
