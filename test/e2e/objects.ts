/** Kubernetes objects that a user would have beside Lemnis's. */

export function claim(name: string): object {
  const spec = { accessModes: ["ReadWriteMany"], resources: { requests: { storage: "1Mi" } } };
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name }, spec };
}

/** A pod that runs a line of Python with a claim at /data, under the restricted Pod Security Standard. */
export function python(name: string, code: string, { image, claim }: { image: string; claim: string }): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "OnFailure",
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 },
        seccompProfile: { type: "RuntimeDefault" },
      },
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim } }],
      containers: [
        {
          ...{ name: "python", image, imagePullPolicy: "IfNotPresent", command: ["python3", "-c", code] },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          volumeMounts: [{ name: "data", mountPath: "/data" }],
        },
      ],
    },
  };
}
