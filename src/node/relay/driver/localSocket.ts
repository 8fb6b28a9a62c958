import { connect, type Socket, type TcpNetConnectOpts } from "node:net";

type Done = (error?: Error | null) => void;
/** `_write` and `_writev`, which streams are made of: the last argument is called when it is done. */
type Writing = Record<"_write" | "_writev", (...args: unknown[]) => void>;

/**
 * Connects to a service, and reads what it answered also when it no longer takes what is sent.
 *
 * A service may answer and close before it has read all of a request. Node gives a socket up at the first failed write,
 * and with it an answer that has arrived and was not read yet; here only reading tells that the connection is over.
 */
export function connectLocally(options: TcpNetConnectOpts): Socket {
  const socket = connect({ noDelay: true, ...options });
  const writing = socket as unknown as Writing;
  for (const name of ["_write", "_writev"] as const) {
    const write = writing[name].bind(socket);
    writing[name] = (...args) => {
      const done = args.pop() as Done;
      write(...args, (error?: NodeJS.ErrnoException | null) => done(isHungUp(error) ? null : error));
    };
  }
  return socket;
}

const isHungUp = (error: NodeJS.ErrnoException | null | undefined): boolean =>
  error?.code === "EPIPE" || error?.code === "ECONNRESET";
