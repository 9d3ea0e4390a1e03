/** Once before all end-to-end tests: the local cluster, the images and the chart, which stay, as after the demo; what was tried out on it goes. */
import type { TestProject } from "vitest/node";
import { terminalLog } from "../cluster/progress.ts";
import { deleteNamespaces, type Images, installChart } from "../demo/install.ts";
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
  await deleteNamespaces(target);
  return images;
}
