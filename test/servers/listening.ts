import { connect } from "node:net";

/** Whether somebody listens on a port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).then((listening) => {
    socket.destroy();
    return listening as boolean;
  });
}
