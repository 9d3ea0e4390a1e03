/** A client in the cluster that keeps asking for predictions, and counts what came back. */
import { waitUntil } from "../cluster/progress.ts";
import { kubectl, type Target } from "./target.ts";

export interface Traffic {
  sent: number;
  failed: number;
  /** The failures, at most ten. */
  errors: string[];
  /** Answers by the model version that gave them. */
  p50Ms: number;
  p99Ms: number;
}

/** One pod, two threads: a new connection for each request, and one connection that is kept and checked before use. */
const program = `
import http.client, json, select, sys, threading, time

HOST, MODEL, BODY = sys.argv[1], sys.argv[2], sys.argv[3]
lock, times, errors = threading.Lock(), [], []
sent = failed = 0

def ask(connection):
    connection.request("POST", f"/v2/models/{MODEL}/infer", BODY, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {body[:200]!r}")
    json.loads(body)["outputs"][0]["data"]

def closed(connection):
    return connection.sock is not None and bool(select.select([connection.sock], [], [], 0)[0])

def wait_for_first_answer():
    """A Service that has only just become ready may not be known to every node: counting begins when it answers."""
    while True:
        try:
            return ask(http.client.HTTPConnection(HOST, timeout=2))
        except Exception:
            time.sleep(0.1)

def loop(keep):
    global sent, failed
    connection = None
    while True:
        start = time.monotonic()
        if connection is None or not keep or closed(connection):
            if connection: connection.close()
            connection = http.client.HTTPConnection(HOST, timeout=10)
        try:
            ask(connection)
            error = None
        except Exception as failure:
            error = f"{time.strftime('%H:%M:%S')} {'kept' if keep else 'new'} connection: {failure!r}"
            connection.close()
            connection = None
        with lock:
            sent += 1
            failed += error is not None
            if error and len(errors) < 10: errors.append(error)
            times.append((time.monotonic() - start) * 1000)
        time.sleep(0.04)

wait_for_first_answer()
for keep in (False, True):
    threading.Thread(target=loop, args=(keep,), daemon=True).start()
while True:
    time.sleep(0.5)
    with lock:
        ordered = sorted(times) or [0]
        print(json.dumps({"sent": sent, "failed": failed, "errors": errors,
            "p50Ms": round(ordered[len(ordered) // 2], 1), "p99Ms": round(ordered[len(ordered) * 99 // 100], 1)}), flush=True)
`;

const name = "lemnis-client";

/** Starts the client and returns when its first answer is there. */
export async function startClient(
  target: Target,
  { image, service, body }: { image: string; service: string; body: object },
): Promise<void> {
  await stopClient(target);
  const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "client",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["python3", "-c", program, service, service, JSON.stringify(body)],
          securityContext: restricted,
        },
      ],
    },
  };
  await kubectl(target, ["apply", "-f", "-"], JSON.stringify(pod));
  await waitUntil(async () => ((await readTraffic(target))?.sent ?? 0) > 0, {
    timeoutMs: 60_000,
    failure: () => new Error(`no answer within a minute; see kubectl -n ${target.namespace} logs ${name}`),
  });
}

/** What the client has counted so far. */
export async function readTraffic(target: Target): Promise<Traffic | undefined> {
  try {
    const lines = await kubectl(target, ["logs", name, "--tail=1"]);
    return lines.trim() ? (JSON.parse(lines) as Traffic) : undefined;
  } catch {
    return undefined; // the pod has not started yet
  }
}

export async function stopClient(target: Target): Promise<void> {
  await kubectl(target, ["delete", "pod", name, "--ignore-not-found", "--wait"]);
}
