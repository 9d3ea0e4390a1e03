/**
 * One request and its whole answer. undici's `request` would make a stream and an abort signal of each, which is a sixth
 * of what a write costs the operator.
 */
import type { Dispatcher } from "undici";

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Terms {
  /** From now to the last byte of the answer. */
  deadlineMs: number;
  signal?: AbortSignal | undefined;
}

export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { deadlineMs, signal }: Terms,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let controller: Dispatcher.DispatchController | undefined;
  let failure: Error | undefined;
  let [status, headers]: [number, Answer["headers"]] = [0, {}];
  const chunks: Buffer[] = [];
  const fail = (error: Error) => {
    failure ??= error;
    end();
    reject(failure);
    controller?.abort(failure);
  };
  const timer = setTimeout(() => fail(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
  const onAbort = () => fail(new Error("given up", { cause: signal?.reason }));
  signal?.addEventListener("abort", onAbort);
  const end = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  };
  if (signal?.aborted) onAbort();
  else
    dispatcher.dispatch(
      { ...request, headersTimeout: 0, bodyTimeout: 0 },
      {
        onRequestStart(started) {
          controller = started;
          // It has waited for a connection longer than anybody waits for it: it must not be sent any more.
          if (failure) started.abort(failure);
        },
        onResponseStart(_, code, received) {
          [status, headers] = [code, received];
        },
        onResponseData(_, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          end();
          resolve({ status, headers, text: Buffer.concat(chunks).toString() });
        },
        onResponseError: (_, error) => fail(error),
      },
    );
  return promise;
}
