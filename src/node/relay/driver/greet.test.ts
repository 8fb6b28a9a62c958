import { getEventListeners } from "node:events";
import { startRelay, startService } from "../../../__tests__/support/bareRelay";
import { rejectionOf } from "../../../__tests__/support/failures";
import { soon } from "../../../__tests__/support/soon";
import type { MuxSession } from "../../../relay/muxSession";
import { greet } from "./greet";

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

/** One attempt to connect; what it connects is in `sessions`. */
function attempt(relay: string, signal: AbortSignal) {
  const sessions: MuxSession[] = [];
  const greeted = greet({
    address: { relay, token: "anna" },
    hello: () => ({ t: "HELLO" }),
    handler: { onControl() {} },
    onGreeted: (_hello, session) => void sessions.push(session),
    onLost() {},
    signal,
  });
  return { sessions, greeted };
}

it("a greeting that was answered leaves nothing at the signal that could have ended it", async () => {
  await using relay = await startRelay();
  const { signal } = new AbortController();
  const { sessions, greeted } = attempt(relay.url, signal);
  await soon(greeted);

  expect(listenersOf(signal)).toBe(0);
  for (const session of sessions) session.close();
});

it("a greeting that was refused leaves nothing at the signal that could have ended it", async () => {
  await using relay = await startRelay({}, async () => ({ status: 401, code: "UNAUTHORIZED" }));
  await using service = await startService((_req, res) => void res.end("no relay"));
  const { signal } = new AbortController();

  await soon(rejectionOf(attempt(relay.url, signal).greeted));
  await soon(rejectionOf(attempt(`http://127.0.0.1:${service.port}`, signal).greeted));

  expect(listenersOf(signal)).toBe(0);
});
