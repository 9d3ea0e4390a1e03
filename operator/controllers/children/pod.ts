/** The pieces that every pod of ours is made of: see "Inside a pod" in docs/concepts.md. */
import { mountedAt, paths, type Task } from "../../agent/tasks.ts";
import type { Container, Resources } from "../../api/v1alpha1/common.ts";

/** Settings that the operator puts into the pods it makes. */
export interface PodSettings {
  storeUrl: string;
  agentImage: string;
  agentImagePullPolicy: string;
  /** Networks that no source may be in, in CIDR notation. */
  deniedRanges: readonly string[];
}

export interface Mount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
  subPath?: string;
}
export interface Volume {
  name: string;
  [source: string]: unknown;
}

/** What a user's pod settings may say, whatever kind they stand in. */
export interface UserPodSettings {
  imagePullSecrets?: readonly { name: string }[] | undefined;
  nodeSelector?: Readonly<Record<string, string>> | undefined;
  tolerations?: readonly object[] | undefined;
  runAsUser?: number | undefined;
}

/** The audience that the store accepts tokens for. */
export const storeAudience = "lemnis-store";

const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
} as const;

/** One of Lemnis's own containers: the agent, with its task and the credential for the store. */
export function agentContainer(settings: PodSettings, task: Task, mounts: readonly Mount[]): Record<string, unknown> {
  return {
    name: task.verb,
    image: settings.agentImage,
    imagePullPolicy: settings.agentImagePullPolicy,
    args: ["agent"],
    env: [
      { name: "LEMNIS_TASK", value: literal(JSON.stringify(task)) },
      { name: "LEMNIS_STORE_URL", value: settings.storeUrl },
      { name: "HOME", value: "/tmp" },
    ],
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "2Gi" } },
    securityContext: { ...restricted, readOnlyRootFilesystem: true },
    terminationMessagePolicy: "File",
    volumeMounts: [
      { name: "work", mountPath: paths.work },
      { name: "agent-tmp", mountPath: "/tmp" },
      { name: "token", mountPath: paths.token, readOnly: true },
      ...mounts,
    ],
  };
}

/** The volumes that `agentContainer` mounts. */
export const agentVolumes: readonly Volume[] = [
  { name: "work", emptyDir: {} },
  { name: "agent-tmp", emptyDir: {} },
  {
    name: "token",
    projected: {
      sources: [{ serviceAccountToken: { audience: storeAudience, expirationSeconds: 3600, path: "token" } }],
    },
  },
];

interface UserContainer {
  name: string;
  container: Container;
  resources?: Resources | undefined;
  env?: readonly { name: string; value: string }[];
  args?: readonly string[];
  mounts: readonly Mount[];
}

/** The user's container, untouched but for the variables, arguments and folders that the kind's contract adds. */
export function userContainer({ name, container, resources, env = [], args = [], mounts }: UserContainer) {
  const given = container.env ?? [];
  const own = env.filter((variable) => !given.some(({ name }) => name === variable.name));
  return {
    ...container,
    name,
    // Ours come first, so that the user's may refer to them as $(NAME).
    env: [...own, ...given],
    args: [...(container.args ?? []), ...args.map(literal)],
    ...(resources ? { resources } : {}),
    securityContext: restricted,
    volumeMounts: mounts,
  };
}

/** Kubernetes replaces $(NAME) in variables and arguments; what a task or a parameter holds is meant as it stands. */
function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** Pod-level fields: restricted security, no service-account token, the user's scheduling wishes. */
export function podFields(user: UserPodSettings): Record<string, unknown> {
  const runAsUser = user.runAsUser ?? 1000;
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser,
      runAsGroup: runAsUser,
      fsGroup: runAsUser,
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...(user.imagePullSecrets ? { imagePullSecrets: user.imagePullSecrets } : {}),
    ...(user.nodeSelector ? { nodeSelector: user.nodeSelector } : {}),
    ...(user.tolerations ? { tolerations: user.tolerations } : {}),
  };
}

/**
 * The volume behind a pvc:// or configmap:// uri, and the tenant's Secret; both for the one container that reads. `mount`
 * names them when it reads several.
 */
export function sourceAccess(
  uri: string,
  secretName: string | undefined,
  mount?: string,
): { volumes: Volume[]; mounts: Mount[] } {
  const [source, secret] = [mountedAt("source", mount), mountedAt("secret", mount)];
  const volumes: Volume[] = [];
  const mounts: Mount[] = [];
  const [, scheme, name] = /^([a-z0-9]+):\/\/([^/]*)/.exec(uri) ?? [];
  if (scheme === "pvc") {
    volumes.push({ name: source, persistentVolumeClaim: { claimName: name, readOnly: true } });
  } else if (scheme === "configmap") {
    volumes.push({ name: source, configMap: { name } });
  }
  if (volumes.length > 0) mounts.push({ name: source, mountPath: mountedAt(paths.source, mount), readOnly: true });
  if (secretName) {
    volumes.push({ name: secret, secret: { secretName } });
    mounts.push({ name: secret, mountPath: mountedAt(paths.secret, mount), readOnly: true });
  }
  return { volumes, mounts };
}
