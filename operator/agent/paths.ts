/** Where every Lemnis container finds things; the first four are SageMaker's, the model's is KServe's. */
export const paths = {
  inputData: "/opt/ml/input/data",
  inputConfig: "/opt/ml/input/config",
  model: "/opt/ml/model",
  output: "/opt/ml/output",
  code: "/opt/ml/code",
  servedModel: "/mnt/models",
  /** Shared by Lemnis's own containers of a pod, never by the user's. */
  work: "/lemnis/work",
  /** The ConfigMap with the code, as mounted; `stage` copies it to `code` when its digest is right. */
  codeSource: "/lemnis/code",
  /** A pvc or configmap source, mounted read-only. */
  source: "/lemnis/source",
  secret: "/lemnis/secret",
  /** The audience-bound token for the store. */
  token: "/var/run/secrets/lemnis/token",
} as const;

/** Where a source's volume or Secret is, of which a pod may have several: beside the path of the first. */
export const mountedAt = (path: string, mount: string | undefined): string => (mount ? `${path}-${mount}` : path);
