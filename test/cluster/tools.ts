import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { CommandError, run } from "./command.ts";
import { cacheDir, toolsDir } from "./layout.ts";
import { withLock } from "./os/lock.ts";
import { type LogOptions, silent, withProgress } from "./progress.ts";

/** One Go program: the folder under tools/ whose go.mod pins it, its package, and the variables that carry its version. */
interface Tool {
  module: string;
  package: string;
  versionOf?: string;
  versionVariables?: (version: string) => Record<string, string>;
}

/** Without these the server reports a version that clients and Helm misread. */
function kubernetesVersion(version: string): Record<string, string> {
  const [major = "", minor = ""] = version.slice(1).split(".");
  const prefix = "k8s.io/component-base/version";
  return { [`${prefix}.gitVersion`]: version, [`${prefix}.gitMajor`]: major, [`${prefix}.gitMinor`]: minor };
}

function kubernetes(program: string): Tool {
  return {
    module: "kubernetes",
    package: `k8s.io/kubernetes/cmd/${program}`,
    versionOf: "k8s.io/kubernetes",
    versionVariables: kubernetesVersion,
  };
}

const tools = {
  etcd: { module: "etcd", package: "go.etcd.io/etcd/server/v3" },
  "kube-apiserver": kubernetes("kube-apiserver"),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  "kube-scheduler": kubernetes("kube-scheduler"),
  kubelet: kubernetes("kubelet"),
  "kube-proxy": kubernetes("kube-proxy"),
  kubectl: kubernetes("kubectl"),
  coredns: { module: "coredns", package: "." },
  pause: { module: "pause", package: "." },
  helm: {
    module: "helm",
    package: "helm.sh/helm/v3/cmd/helm",
    versionOf: "helm.sh/helm/v3",
    versionVariables: (version) => ({ "helm.sh/helm/v3/internal/version.version": version }),
  },
  registry: { module: "registry", package: "github.com/google/go-containerregistry/cmd/registry" },
  versitygw: {
    module: "versitygw",
    package: "github.com/versity/versitygw/cmd/versitygw",
    versionOf: "github.com/versity/versitygw",
    versionVariables: (version) => ({ "main.Version": version }),
  },
  promtool: {
    module: "promtool",
    package: "github.com/prometheus/prometheus/cmd/promtool",
    versionOf: "github.com/prometheus/prometheus",
    versionVariables: (version) => ({ "github.com/prometheus/common/version.Version": version }),
  },
} satisfies Record<string, Tool>;

export type ToolName = keyof typeof tools;
export const toolNames = Object.keys(tools) as ToolName[];

/** Version that the tool's go.mod requires of a module, such as v1.34.4. */
export function pinnedVersion(goMod: string, module: string): string {
  const line = goMod.split("\n").find((text) =>
    text
      .replace(/^require /, "")
      .trim()
      .startsWith(`${module} v`),
  );
  const version = line
    ?.trim()
    .split(/\s+/)
    .at(line.startsWith("require ") ? 2 : 1);
  if (!version) throw new Error(`go.mod does not require ${module}`);
  return version;
}

function versionFlags(tool: Tool): string {
  if (!tool.versionOf || !tool.versionVariables) return "";
  const goMod = readFileSync(join(toolsDir, tool.module, "go.mod"), "utf8");
  const variables = tool.versionVariables(pinnedVersion(goMod, tool.versionOf));
  return Object.entries(variables)
    .map(([name, value]) => ` -X ${name}=${value}`)
    .join("");
}

/** Digest of all that decides a binary: every file in its tool folder, its flags, the processor. */
export function binaryKey(folder: string, flags: string): string {
  const hash = createHash("sha256").update(`${flags}\0${process.arch}`);
  for (const file of readdirSync(folder).sort()) hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  return hash.digest("hex").slice(0, 16);
}

/** Path of a program, which is built from its pinned Go module when the cache has none. Safe to call from many processes. */
export async function binary(name: ToolName, { log = silent }: LogOptions = {}): Promise<string> {
  const tool: Tool = tools[name];
  const folder = join(toolsDir, tool.module);
  const flags = `-s -w${versionFlags(tool)}`;
  const target = join(cacheDir(), "bin", `${tool.module}-${binaryKey(folder, flags)}`, name);
  if (existsSync(target)) return target;
  mkdirSync(join(target, ".."), { recursive: true });
  return withLock(
    `${target}.lock`,
    async () => {
      if (existsSync(target)) return target;
      await withProgress(log, `building ${name} from its Go module`, () => build(tool, flags, target));
      return target;
    },
    () => log(`waiting for another process that builds ${name}`),
  );
}

async function build(tool: Tool, flags: string, target: string): Promise<void> {
  const partial = `${target}.partial`;
  const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
  try {
    const args = ["build", "-trimpath", "-ldflags", flags, "-o", partial, tool.package];
    await run("go", args, { cwd: join(toolsDir, tool.module), env });
  } catch (error) {
    if (error instanceof CommandError && error.code === "ENOENT") {
      throw new Error(
        "Go is not installed: the cluster's programs are built with it. Install Go 1.25 or newer from go.dev/dl.",
      );
    }
    throw error;
  }
  renameSync(partial, target);
}
