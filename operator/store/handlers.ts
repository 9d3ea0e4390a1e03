import type { FastifyInstance } from "fastify";

/**
 * Follows the handlers of all routes that are added from now on. One goes on when its connection breaks, and would outlive
 * the server's close: the answer resolves when none is at work.
 */
export function followHandlers(app: FastifyInstance): () => Promise<void> {
  const atWork = new Set<Promise<unknown>>();
  app.addHook("onRoute", (route) => {
    const handle = route.handler;
    route.handler = async function (request, reply) {
      const work = Promise.resolve(handle.call(this, request, reply));
      atWork.add(work);
      try {
        return await work;
      } finally {
        atWork.delete(work);
      }
    };
  });
  return async () => {
    while (atWork.size > 0) await Promise.allSettled(atWork);
  };
}
