/** The built-in kinds that the operator reads or writes. */
import type { Resource } from "./types.ts";

function define(group: string, version: string, kind: string, plural: string): Resource {
  return { group, version, kind, plural, namespaced: true };
}

export const pods = define("", "v1", "Pod", "pods");
export const configMaps = define("", "v1", "ConfigMap", "configmaps");
export const services = define("", "v1", "Service", "services");
export const events = define("events.k8s.io", "v1", "Event", "events");
export const leases = define("coordination.k8s.io", "v1", "Lease", "leases");
export const jobs = define("batch", "v1", "Job", "jobs");
export const deployments = define("apps", "v1", "Deployment", "deployments");
export const horizontalPodAutoscalers = define(
  "autoscaling",
  "v2",
  "HorizontalPodAutoscaler",
  "horizontalpodautoscalers",
);
export const disruptionBudgets = define("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");
export const serviceMonitors = define("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors");
export const prometheusRules = define("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules");
export const scaledObjects = define("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects");
export const httpRoutes = define("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes");
export const localQueues = define("kueue.x-k8s.io", "v1beta2", "LocalQueue", "localqueues");
export const gitRepositories = define("source.toolkit.fluxcd.io", "v1", "GitRepository", "gitrepositories");
/** POST makes a token of this service account. */
export const tokensOf = (account: string) =>
  define("", "v1", "TokenRequest", `serviceaccounts/${encodeURIComponent(account)}/token`);
export const customResourceDefinitions: Resource = {
  ...define("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions"),
  namespaced: false,
};
