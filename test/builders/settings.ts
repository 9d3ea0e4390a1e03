import type { Settings } from "../../operator/controllers/context.ts";

export const settings: Settings = {
  storeUrl: "http://store",
  agentImage: "lemnis:1",
  agentImagePullPolicy: "IfNotPresent",
  drainMs: 30_000,
  deniedRanges: ["10.96.0.0/12"],
};
