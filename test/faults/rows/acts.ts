/** What faults are put together from. */
import type { Run, Scene } from "../campaign.ts";
import { type Exchange, type FaultProxy, isWrite, type Write } from "../proxy.ts";

/** The proxy of the one replica, or of the first. */
export function proxyOf({ crew }: Scene): FaultProxy {
  const [proxy] = crew.proxies;
  if (!proxy) throw new Error("a crew has at least one replica");
  return proxy;
}

export const heal = (scene: Scene) => () => {
  for (const proxy of scene.crew.proxies) proxy.fault = {};
};

/** A fault for the whole story. */
export function throughout(name: string, fault: (scene: Scene) => FaultProxy["fault"]): Run {
  return {
    name,
    begin: (scene) => {
      proxyOf(scene).fault = fault(scene);
      return heal(scene);
    },
  };
}

/** True for the write of this number, as they come. */
export function counted({ met }: Scene, index: number): (exchange: Exchange | Write) => boolean {
  let count = 0;
  return (exchange) => {
    if (!isWrite(exchange) || count++ !== index) return false;
    met();
    return true;
  };
}

/** An answer of an API server that refuses. */
export const refusal = (code: number, reason: string, message: string, details: object = {}) => ({
  status: code,
  ...(code === 429 ? { headers: { "retry-after": "1" } } : {}),
  body: { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details },
});
