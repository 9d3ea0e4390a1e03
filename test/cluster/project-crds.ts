/** CustomResourceDefinitions as other projects ship them: files of their Go modules, which go.mod pins. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./command.ts";
import { toolsDir } from "./layout.ts";

const prometheusOperator = "github.com/prometheus-operator/prometheus-operator";

/** By kind: the module, and the file in it. */
const definitions = {
  ServiceMonitor: [prometheusOperator, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"],
  PrometheusRule: [prometheusOperator, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"],
  HTTPRoute: ["sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
  ScaledObject: ["github.com/kedacore/keda/v2", "config/crd/bases/keda.sh_scaledobjects.yaml"],
  LocalQueue: ["sigs.k8s.io/kueue", "config/components/crd/bases/kueue.x-k8s.io_localqueues.yaml"],
  GitRepository: [
    "github.com/fluxcd/source-controller",
    "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml",
  ],
} as const;

export type ProjectKind = keyof typeof definitions;

/** The definition's YAML, from the Go module cache; the module is downloaded when it is not there. */
export async function projectCrd(kind: ProjectKind): Promise<string> {
  const [module, file] = definitions[kind];
  const cwd = join(toolsDir, "crds");
  const { Dir } = JSON.parse(await run("go", ["mod", "download", "-json", module], { cwd })) as { Dir: string };
  return readFile(join(Dir, file), "utf8");
}
