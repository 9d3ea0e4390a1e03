/** Labels and annotations that Lemnis writes. */
export const managedBy = { "app.kubernetes.io/managed-by": "lemnis" } as const;
export const managedSelector = "app.kubernetes.io/managed-by=lemnis";

export const labels = {
  dataset: "lemnis.dev/dataset",
  trainingJob: "lemnis.dev/trainingjob",
  model: "lemnis.dev/model",
  inferenceService: "lemnis.dev/inferenceservice",
  /** The Job or Deployment that a pod belongs to. */
  workload: "lemnis.dev/workload",
} as const;

export const annotations = {
  /** Set by the user: a new value makes the operator look at the Dataset's source again. */
  refresh: "lemnis.dev/refresh",
  /** On a snapshot Job: the look that it makes. */
  look: "lemnis.dev/look",
  /** On a snapshot Job: the digest of what is read and how. */
  recipe: "lemnis.dev/recipe",
  /** On a training Job: the run, as JSON. */
  run: "lemnis.dev/run",
  /** On a Job: the generation of the owner's spec that made it. */
  generation: "lemnis.dev/generation",
  /** On an evaluation or import Job: its subject, as JSON. */
  subject: "lemnis.dev/subject",
  /** On a Deployment: the version of the Model that it serves. */
  modelVersion: "lemnis.dev/model-version",
  /** On a Deployment that was wanted again while it drained: when it would have gone. */
  spared: "lemnis.dev/spared",
} as const;
