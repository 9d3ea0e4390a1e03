/** Whose profile is shown. */
export interface Subject {
  dataset: string;
  namespace: string;
  /** The number of the Dataset's current version. */
  current: number | undefined;
}
