/** An answer that is not the one that was hoped for; `message` tells the caller what to do. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "HttpError";
    this.status = status;
    this.code = code;
  }
}

export const notFound = (what: string) => new HttpError(404, "NotFound", `${what} does not exist`);
export const conflict = (message: string) => new HttpError(409, "Conflict", message);
