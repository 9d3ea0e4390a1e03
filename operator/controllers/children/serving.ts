import type { Container, Resources } from "../../api/v1alpha1/common.ts";
import { userContainer } from "./pod.ts";

interface ServingInput {
  container: Container;
  port: number;
  metricsPort?: number | undefined;
  /** The model's name in the Open Inference Protocol. */
  modelName: string;
  resources?: Resources | undefined;
  mounts: readonly { name: string; mountPath: string; readOnly?: boolean }[];
}

/** A container that serves one model over the Open Inference Protocol v2; ready when the model is. */
export function servingContainer({ container, port, metricsPort, modelName, resources, mounts }: ServingInput) {
  const httpGet = { path: `/v2/models/${modelName}/ready`, port };
  return {
    ...userContainer({
      name: "runtime",
      container,
      resources,
      env: [
        { name: "MODEL_NAME", value: modelName },
        { name: "HOME", value: "/tmp" },
      ],
      mounts: [...mounts, { name: "tmp", mountPath: "/tmp" }],
    }),
    ports: [
      { name: "http", containerPort: port, protocol: "TCP" },
      ...(metricsPort ? [{ name: "metrics", containerPort: metricsPort, protocol: "TCP" }] : []),
    ],
    // Ten minutes to load a model; after that the readiness probe watches it.
    startupProbe: { httpGet, periodSeconds: 1, failureThreshold: 600, timeoutSeconds: 1 },
    readinessProbe: { httpGet, periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 2 },
  };
}
