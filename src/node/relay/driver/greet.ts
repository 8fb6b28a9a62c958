import { CloseCode } from "../../../relay/codes";
import type { Hello, HelloErr, HelloOk } from "../../../relay/controlMessages";
import { subprotocols } from "../../../relay/handshake";
import type { MuxLink } from "../../../relay/muxLink";
import { MuxSession } from "../../../relay/muxSession";
import type { SessionHandler, SessionSettings } from "../../../relay/sessionContract";
import { nodeClock } from "../nodeClock";
import { dial } from "../wsLink";
import { connectUrlOf } from "./relayUrl";

/** Where a driver connects, and as whom. */
export interface RelayAddress {
  /** URL of the relay: `http:`, `https:`, `ws:` or `wss:`; the path of the protocol is added. */
  readonly relay: string;
  /** Sent as `x-runner-token`. */
  readonly token?: string | undefined;
  /** Further headers, for validators of the relay. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What a driver allows its relay; sizes in bytes. It is stricter about silence than the relay: it can reconnect. */
export const ownSettings: SessionSettings = {
  maxFrameBytes: 65_536,
  maxStreams: 1_000,
  windowBytes: 262_144,
  maxWindowBytes: 8_388_608,
  sessionBufferBytes: 67_108_864,
  pingMs: 10_000,
  deadMs: 20_000,
};

export interface GreetOptions {
  readonly address: RelayAddress;
  readonly hello: (protocol: string) => Hello;
  readonly handler: Pick<SessionHandler, "onControl" | "onStream" | "onMeasured">;
  /** The answer, before anything that follows it is read: streams may be among that. */
  readonly onGreeted: (hello: HelloOk, session: MuxSession, link: MuxLink) => void;
  /** The connection is gone; may be called more than once. */
  readonly onLost: (session: MuxSession, link: MuxLink) => void;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

const helloTimeoutMs = 10_000;

/**
 * Opens a link to a relay, and greets.
 *
 * @throws {DialRefusedError} (as a rejection) the relay answered with another status than 101
 */
export async function greet({ address, hello, handler, onGreeted, onLost, signal }: GreetOptions): Promise<HelloOk> {
  const { relay, token, headers } = address;
  const dialled = await dial({
    url: connectUrlOf(relay),
    protocols: subprotocols,
    headers: { ...headers, ...(token !== undefined && { "x-runner-token": token }) },
    timeoutMs: helloTimeoutMs,
    signal,
  });
  let settle: (answer: HelloOk | HelloErr | undefined) => void = () => {};
  const answered = new Promise<HelloOk | HelloErr | undefined>((resolve) => (settle = resolve));
  let isGreeted = false;
  const lost = (): void => {
    settle(undefined);
    onLost(session, link);
  };
  const session = new MuxSession({
    role: "driver",
    clock: nodeClock,
    settings: ownSettings,
    handler: {
      onControl(message, from) {
        if (message.t === "HELLO_ERR") settle(message);
        else if (message.t !== "HELLO_OK") handler.onControl(message, from);
        else if (!isGreeted) {
          isGreeted = true;
          onGreeted(message, session, link);
          settle(message);
        }
      },
      ...(handler.onStream !== undefined && { onStream: handler.onStream }),
      ...(handler.onMeasured !== undefined && { onMeasured: handler.onMeasured }),
      onFailed: lost,
    },
  });
  const link: MuxLink = session.attach(
    dialled.connect({
      onBytes: (bytes) => link.receive(bytes),
      onDrain: () => link.drained(),
      onClose() {
        session.linkLost(link);
        lost();
      },
    }),
  );
  session.send(hello(dialled.protocol));
  const ended = (): void => settle(undefined);
  const cancelLate = nodeClock.after(helloTimeoutMs, ended);
  signal.addEventListener("abort", ended, { once: true });
  if (signal.aborted) ended();
  const answer = await answered;
  // The signal is that of all connections to come.
  cancelLate();
  signal.removeEventListener("abort", ended);
  if (answer?.t === "HELLO_OK" && !signal.aborted) return answer;
  session.close(CloseCode.PROTOCOL_ERROR, "No greeting.");
  throw new Error(
    answer?.t === "HELLO_ERR" ? `The relay refused the session: ${answer.code}.` : "The relay did not greet.",
  );
}
