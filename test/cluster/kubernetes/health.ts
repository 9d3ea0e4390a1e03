import { Resolver } from "node:dns/promises";
import { apiServerUrl, apiServiceAddress, clusterDomain, clusterName, nodeAddress } from "../layout.ts";
import { type Answer, probe } from "../os/http.ts";

/**
 * Whether the node is Ready, and in the kubelet's words why not. What the kubelet said before `since` (milliseconds since 1970) does not
 * count: a dead kubelet's node stays Ready for most of a minute.
 */
export async function nodeReadiness(token: string, since = 0): Promise<{ ready: boolean; message: string }> {
  return readinessOf(await probe(`${apiServerUrl}/api/v1/nodes/${clusterName}`, { token }), since);
}

export function readinessOf(answer: Answer | undefined, since: number): { ready: boolean; message: string } {
  if (!answer) return { ready: false, message: "the API server does not answer" };
  if (answer.status !== 200) return { ready: false, message: `the API server answers ${answer.status}` };
  const node = JSON.parse(answer.body) as {
    status?: { conditions?: { type: string; status: string; message?: string; lastHeartbeatTime: string }[] };
  };
  const condition = node.status?.conditions?.find(({ type }) => type === "Ready");
  if (condition && Date.parse(condition.lastHeartbeatTime) + 1000 <= since) {
    return { ready: false, message: "the kubelet has not reported since it was started" };
  }
  return { ready: condition?.status === "True", message: condition?.message ?? "the kubelet has not reported yet" };
}

interface PodList {
  items: { metadata: { uid: string } }[] | null;
}

/** Whether the kubelet knows every pod that runs: one just started reports Ready first, and refuses `exec` and `logs` until then. */
export async function kubeletKnowsPods(token: string): Promise<boolean> {
  const selector = encodeURIComponent(`spec.nodeName=${clusterName},status.phase=Running`);
  const [running, known] = await Promise.all([
    probe(`${apiServerUrl}/api/v1/pods?fieldSelector=${selector}`, { token }),
    probe(`${apiServerUrl}/api/v1/nodes/${clusterName}/proxy/pods`, { token }),
  ]);
  if (running?.status !== 200 || known?.status !== 200) return false;
  const uids = (answer: Answer) =>
    ((JSON.parse(answer.body) as PodList).items ?? []).map(({ metadata }) => metadata.uid);
  const knownUids = new Set(uids(known));
  return uids(running).every((uid) => knownUids.has(uid));
}

/** Whether pods can be made in the default namespace: they are refused until its default service account is there. */
export async function acceptsPods(server: string, token: string): Promise<boolean> {
  return (await probe(`${server}/api/v1/namespaces/default/serviceaccounts/default`, { token }))?.status === 200;
}

/** Whether cluster DNS knows the API server's Service. */
export async function dnsAnswers(): Promise<boolean> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([nodeAddress]);
  try {
    const addresses = await resolver.resolve4(`kubernetes.default.svc.${clusterDomain}`);
    return addresses.includes(apiServiceAddress);
  } catch {
    return false;
  }
}
