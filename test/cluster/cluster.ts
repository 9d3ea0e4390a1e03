/** The local Kubernetes cluster: what the demo and the tests use of it. */
export { down } from "./down.ts";
export { type BuiltImage, buildImage, type ImageInput } from "./images/build.ts";
export { loadImage } from "./images/load.ts";
export { kubectl } from "./kubernetes/kubectl.ts";
export { ensureVolumes } from "./kubernetes/volumes.ts";
export { clusterName, kubeconfigPath, nodeAddress } from "./layout.ts";
export type { Log } from "./progress.ts";
export { type ClusterStatus, status } from "./status.ts";
export { binary, prometheusOperatorCrd, type ToolName, toolNames } from "./tools.ts";
export { up } from "./up.ts";
