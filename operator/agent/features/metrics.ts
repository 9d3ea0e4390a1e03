import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Served } from "./load.ts";

export interface FeatureMetrics {
  registry: Registry;
  answered(labels: { method: string; code: number }, seconds: number): void;
  /** Counts keys that were found, and that were not. */
  looked(result: "found" | "unknown", count: number): void;
  reloadFailed(): void;
}

/** The feature server's Prometheus metrics. */
export function createFeatureMetrics(current: () => Served | undefined): FeatureMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "lemnis_features_request_duration_seconds",
    help: "Requests for features by method and HTTP status.",
    labelNames: ["method", "code"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1],
    registers,
  });
  const keys = new Counter({
    name: "lemnis_features_keys_total",
    help: "Keys that were asked for, by result (found, unknown).",
    labelNames: ["result"],
    registers,
  });
  const failures = new Counter({
    name: "lemnis_features_reload_failures_total",
    help: "New versions that could not be loaded; the one before is served on.",
    registers,
  });
  gauge({ name: "lemnis_features_rows", help: "Rows that are served, one a key." }, ({ index }) => index.size);
  gauge({ name: "lemnis_features_bytes", help: "Memory that the rows take." }, ({ bytes }) => bytes);
  gauge({ name: "lemnis_features_version", help: "The Dataset's version that is served." }, ({ version }) => version);
  gauge(
    { name: "lemnis_features_version_age_seconds", help: "Time since the version that is served was registered." },
    ({ createdAt }) => (Date.now() - Date.parse(createdAt)) / 1000,
  );
  return {
    registry,
    answered: ({ method, code }, seconds) => requests.observe({ method, code: String(code) }, seconds),
    looked: (result, count) => keys.inc({ result }, count),
    reloadFailed: () => failures.inc(),
  };

  function gauge(described: { name: string; help: string }, value: (served: Served) => number): void {
    new Gauge({
      ...described,
      registers,
      collect() {
        const served = current();
        if (served) this.set(value(served));
      },
    });
  }
}
