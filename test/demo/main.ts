/** `npm run demo`: the whole loop on a real cluster, step by step. */
import { parseArgs } from "node:util";
import { kubeconfigPath } from "../cluster/layout.ts";
import { terminalLog } from "../cluster/progress.ts";
import { runDemo } from "./demo.ts";
import { freshNamespace } from "./install.ts";
import { prepareLocal } from "./local.ts";
import { contextTarget } from "./target.ts";

const usage = `npm run demo [-- OPTIONS]

Runs the whole loop on a real cluster: data to gated model to predictions, and round again without losing a request.
Without options it brings up a local cluster first (etcd to kubelet, on this machine; Debian, root, Go) and builds the images.

  --context NAME           use a cluster that your kubeconfig knows, instead
  --image IMAGE            with --context: the lemnis image, as repository:tag, that the cluster can pull or has
  --sklearn-image IMAGE    with --context: the image built from images/sklearn (default: docker.io/lemnis/sklearn:0.1.0)
  --namespace NAME         a new namespace for the example (default: lemnis-demo-TIME)
  --help                   this text

Afterwards: npm run cluster -- status | down`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      context: { type: "string" },
      image: { type: "string" },
      "sklearn-image": { type: "string", default: "docker.io/lemnis/sklearn:0.1.0" },
      namespace: { type: "string", default: freshNamespace(new Date()) },
      help: { type: "boolean", default: false },
    },
  });
  if (values.context && !values.image)
    throw new Error("--context needs --image: the lemnis image that the cluster can pull");
  if (values.image && !values.context) throw new Error("--image goes with --context: the local cluster builds its own");
  return values;
}

const log = terminalLog();
try {
  const options = readOptions();
  if (options.help) {
    console.log(usage);
  } else if (options.context && options.image) {
    const images = { lemnis: options.image, sklearn: options["sklearn-image"] };
    const target = await contextTarget(options.context, {
      namespace: options.namespace,
      sklearnImage: images.sklearn,
      log,
    });
    await runDemo(target, { images, look: `kubectl --context ${options.context}`, takeDown: [] });
  } else {
    const { target, images } = await prepareLocal({ namespace: options.namespace, log });
    const look = `kubectl --kubeconfig ${kubeconfigPath}`;
    await runDemo(target, { images, look, takeDown: ["npm run cluster -- down"] });
  }
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`\nThe demo stopped: ${message}\n`);
  process.exitCode = 1;
}
