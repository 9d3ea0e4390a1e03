import { Gauge, Histogram, type Registry } from "prom-client";
import type { Services } from "./server.ts";

interface Labels {
  method: string;
  route: string;
  code: number;
}

/** The store's Prometheus metrics. */
export function createStoreMetrics(
  registry: Registry,
  { blobs }: Services,
): { observe: (labels: Labels, seconds: number) => void } {
  const requests = new Histogram({
    name: "lemnis_store_request_duration_seconds",
    help: "Requests to the store by method, route and HTTP status.",
    labelNames: ["method", "route", "code"],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers: [registry],
  });
  new Gauge({
    name: "lemnis_store_artifact_bytes",
    help: "Bytes of all artifacts.",
    registers: [registry],
    async collect() {
      this.set(await blobs.totalBytes());
    },
  });
  return {
    observe: ({ method, route, code }, seconds) => requests.observe({ method, route, code: String(code) }, seconds),
  };
}
