import { run } from "../command.ts";
import { containerdSocket } from "../layout.ts";
import { type LogOptions, silent, withProgress } from "../progress.ts";
import type { BuiltImage } from "./build.ts";

/** Runs containerd's client on the local cluster's images and containers. */
function ctr(args: readonly string[]): Promise<string> {
  return run("ctr", ["--address", containerdSocket, "--namespace", "k8s.io", ...args]);
}

/** Gives an image to the running local cluster, unless it has that very one. */
export async function loadImage({ reference, archive }: BuiltImage, { log = silent }: LogOptions = {}): Promise<void> {
  const index = JSON.parse(await run("tar", ["-xOf", archive, "index.json"])) as { manifests: { digest: string }[] };
  const digest = index.manifests[0]?.digest;
  const loaded = imageDigest(await ctr(["images", "list", `name==${reference}`]), reference);
  if (loaded === digest) return;
  await withProgress(log, `loading ${reference} into the cluster`, () => ctr(["images", "import", archive]));
}

/** Digest of an image in the table that `ctr images list` prints. */
export function imageDigest(table: string, reference: string): string | undefined {
  const rows = table.split("\n").map((line) => line.split(/\s+/));
  return rows.find(([name]) => name === reference)?.find((field) => field.startsWith("sha256:"));
}
