/** Once before all end-to-end tests: the local cluster, the images and the chart. All stay, as after the demo. */
import type { TestProject } from "vitest/node";
import { terminalLog } from "../cluster/progress.ts";
import { type Images, installChart } from "../demo/install.ts";
import { prepareLocal } from "../demo/local.ts";

declare module "vitest" {
  export interface ProvidedContext {
    images: Images;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  project.provide("images", await prepareLemnis());
}

export async function prepareLemnis(): Promise<Images> {
  const { target, images } = await prepareLocal({ namespace: "default", log: terminalLog() });
  await installChart(target, images);
  return images;
}
