/** Step 1: the local cluster, with the project's images in it. */
import { join } from "node:path";
import { buildImage } from "../cluster/images/build.ts";
import { loadImage } from "../cluster/images/load.ts";
import { kubeconfigPath } from "../cluster/layout.ts";
import type { Log } from "../cluster/progress.ts";
import { up } from "../cluster/up.ts";
import { type Images, root } from "./install.ts";
import { localTarget, type Target } from "./target.ts";

interface LocalOptions {
  namespace: string;
  log: Log;
}

/** Brings up the cluster, builds what has changed, and loads it. */
export async function prepareLocal({ namespace, log }: LocalOptions): Promise<{ target: Target; images: Images }> {
  log("\n── 1. The local cluster and the images");
  await up({ log });
  const lemnis = await buildImage({
    tag: "docker.io/lemnis/lemnis:0.1.0",
    dockerfile: join(root, "Dockerfile"),
    context: root,
    log,
  });
  const sklearn = await buildImage({
    tag: "docker.io/lemnis/sklearn:0.1.0",
    dockerfile: join(root, "images/sklearn/Dockerfile"),
    context: join(root, "images/sklearn"),
    log,
  });
  for (const image of [lemnis, sklearn]) await loadImage(image, { log });
  return {
    target: await localTarget(kubeconfigPath, { namespace, sklearnImage: sklearn.reference, log }),
    images: { lemnis: lemnis.reference, sklearn: sklearn.reference, key: lemnis.key },
  };
}
