/** The operator's Prometheus metrics. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export interface Metrics {
  reconciles: Counter<"controller" | "result">;
  errors: Counter<"controller" | "class">;
  duration: Histogram<"controller">;
  queueDepth: Gauge<"controller">;
  queueLatency: Histogram<"controller">;
  watchRestarts: Counter<"resource" | "reason">;
  apiRequests: Counter<"verb" | "resource" | "code">;
  cacheObjects: Gauge<"resource">;
  cacheStaleness: Gauge<"resource">;
  refreshes: Counter<"code">;
  leader: Gauge;
}

export function createMetrics(registry: Registry): Metrics {
  const registers = [registry];
  const seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
  return {
    reconciles: new Counter({
      name: "lemnis_reconcile_total",
      help: "Reconciles by controller and result (settled, waiting, stalled, error).",
      labelNames: ["controller", "result"],
      registers,
    }),
    errors: new Counter({
      name: "lemnis_reconcile_errors_total",
      help: "Reconciles that failed, by controller and class of error.",
      labelNames: ["controller", "class"],
      registers,
    }),
    duration: new Histogram({
      name: "lemnis_reconcile_duration_seconds",
      help: "How long a reconcile takes.",
      labelNames: ["controller"],
      buckets: seconds,
      registers,
    }),
    queueDepth: new Gauge({
      name: "lemnis_workqueue_depth",
      help: "Objects that wait to be reconciled.",
      labelNames: ["controller"],
      registers,
    }),
    queueLatency: new Histogram({
      name: "lemnis_workqueue_latency_seconds",
      help: "How long an object waits in the queue.",
      labelNames: ["controller"],
      buckets: seconds,
      registers,
    }),
    watchRestarts: new Counter({
      name: "lemnis_watch_restarts_total",
      help: "Watches that were begun anew, by resource and reason (ended, gone, error, stalled, unparseable).",
      labelNames: ["resource", "reason"],
      registers,
    }),
    apiRequests: new Counter({
      name: "lemnis_api_requests_total",
      help: "Requests to the API server by verb, resource and HTTP status; 0: no answer.",
      labelNames: ["verb", "resource", "code"],
      registers,
    }),
    cacheObjects: new Gauge({
      name: "lemnis_cache_objects",
      help: "Objects in the cache.",
      labelNames: ["resource"],
      registers,
    }),
    cacheStaleness: new Gauge({
      name: "lemnis_cache_staleness_seconds",
      help: "Time since the API server was last heard on this watch.",
      labelNames: ["resource"],
      registers,
    }),
    refreshes: new Counter({
      name: "lemnis_refresh_requests_total",
      help: "Calls of Datasets' webhooks by HTTP status.",
      labelNames: ["code"],
      registers,
    }),
    leader: new Gauge({ name: "lemnis_leader", help: "1 while this process leads.", registers }),
  };
}
