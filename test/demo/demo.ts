import { readTraffic, startClient, stopClient, type Traffic } from "./client.ts";
import { deleteNamespaces, type Images, installChart, makeNamespace, systemNamespace } from "./install.ts";
import { isReady, type Loop } from "./objects.ts";
import {
  applyExample,
  changeSource,
  example,
  predict,
  question,
  reapply,
  waitForLoop,
  waitForNextChampion,
  waitForRejection,
} from "./steps.ts";
import { kubectl, type Target } from "./target.ts";

interface DemoOptions {
  images: Images;
  /** The command that the user looks around with. */
  look: string;
  /** Commands that take down what the demo set up before its own steps. */
  takeDown: readonly string[];
}

/** Steps 2 to 7: from an empty cluster to the second champion, and a third version that is refused. */
export async function runDemo(target: Target, { images, look, takeDown }: DemoOptions): Promise<void> {
  const { log, namespace } = target;
  const step = (title: string) => log(`\n── ${title}`);

  step("2. Install the chart: operator and store");
  await installChart(target, images);
  await deleteNamespaces(target);
  await makeNamespace(target);

  step("3. kubectl apply -f examples/wine: a Dataset, a TrainingJob, a Model, an InferenceService");
  await applyExample(target);
  const first = await waitForLoop(target);
  showChampion(target, first);

  step("4. A prediction over the Open Inference Protocol v2");
  const prediction = await predict(target);
  log(`  POST ${first.service?.status?.url}/v2/models/${example}/infer`);
  log(`  ${JSON.stringify(question.inputs[0]?.data)} → class ${JSON.stringify(prediction.outputs[0]?.data)}`);

  step("5. New rows at the source, while a client keeps asking");
  await startClient(target, { image: images.sklearn, service: example, body: question });
  log(`  ${await changeSource(target, "add", "48")}`);
  const second = await waitForNextChampion(target, first.model?.status?.champion ?? 0);
  const traffic = await readTraffic(target);
  await stopClient(target);
  showChampion(target, second);
  showTraffic(target, traffic);

  step("6. A bad batch: copies of all rows with shuffled labels");
  log(`  ${await changeSource(target, "shuffle")}`);
  const newest = second.model?.status?.versions?.[0]?.version ?? 0;
  const third = await waitForRejection(target, newest);
  const refused = third.model?.status?.versions?.[0];
  log(`  version ${refused?.version} is refused: ${refused?.message}`);
  log(
    `  champion is still version ${third.model?.status?.champion}; ${look} -n ${namespace} describe model ${example}`,
  );

  step("7. The same manifests again: nothing runs");
  log(`  ${await reapply(target)} objects, each at the resourceVersion it had`);

  log("\nThe loop, as kubectl get ml shows it:\n");
  log(await kubectl(target, ["get", "ml"]));
  log("Look around:");
  log(`  ${look} -n ${namespace} get ml`);
  log(`  ${look} -n ${namespace} describe model ${example}`);
  log(`  ${look} -n ${systemNamespace} logs deploy/lemnis-operator`);
  log("Take it down:");
  const own = [`${look} delete namespace ${namespace}`, `helm uninstall lemnis -n ${systemNamespace}`];
  for (const command of takeDown.length > 0 ? takeDown : own) log(`  ${command}`);
}

function showChampion({ log }: Target, { model, service }: Loop): void {
  const champion = model?.status?.versions?.find(({ stage }) => stage === "Champion");
  log(`  champion: version ${champion?.version}, ${champion?.digest}`);
  for (const [name, value] of Object.entries(champion?.metrics ?? {}))
    log(`    ${name.padEnd(16)} ${Number(value.toPrecision(4))}`);
  for (const gate of champion?.gates ?? []) log(`    gate ${gate.passed ? "passed" : "failed"}: ${gate.message}`);
  log(`  service: ${service?.status?.url}${isReady(service) ? "" : " (not ready)"}`);
}

function showTraffic({ log }: Target, traffic: Traffic | undefined): void {
  if (!traffic) throw new Error("the client has counted nothing");
  log(`  requests sent ${traffic.sent}, failed ${traffic.failed}; p50 ${traffic.p50Ms} ms, p99 ${traffic.p99Ms} ms`);
  if (traffic.failed > 0) throw new Error(`requests failed: ${traffic.errors.join("; ")}`);
}
