import { run } from "../command.ts";
import { kubeconfigPath } from "../layout.ts";
import { binary } from "../tools.ts";

/** Runs kubectl as the administrator of the local cluster; `input` goes to its standard input. */
export async function kubectl(args: readonly string[], input = ""): Promise<string> {
  return run(await binary("kubectl"), ["--kubeconfig", kubeconfigPath, ...args], { input });
}

/** Server-side applies objects to the local cluster. */
export async function applyObjects(items: readonly object[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager=lemnis-cluster", "-f", "-"], list);
}
