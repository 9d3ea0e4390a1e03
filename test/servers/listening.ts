import { connect } from "node:net";

/** Whether somebody listens on a port. */
export function isListening(port: number, address = "127.0.0.1"): Promise<boolean> {
  const socket = connect(port, address);
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).then((listening) => {
    socket.destroy();
    return listening as boolean;
  });
}
