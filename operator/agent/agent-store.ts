import type { StoreClient } from "../store/client.ts";

/** What the agent asks of the store. */
export type AgentStore = Pick<
  StoreClient,
  | "dataset"
  | "getDatasetVersion"
  | "getModelVersion"
  | "registerDatasetVersion"
  | "retainDatasetVersions"
  | "putDatasetProgress"
  | "putRun"
  | "registerImport"
  | "putEvaluation"
  | "uploadFile"
  | "download"
>;
