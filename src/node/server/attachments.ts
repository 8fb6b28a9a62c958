import { EventEmitter } from "node:events";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** What serves some of the requests of a server. */
export interface Attachment {
  /**
   * Of two that serve a request, the one with the longer path gets it; of two with one path, the later one. `undefined` for
   * what knows its requests by their host: it comes before all paths.
   */
  readonly basePath: string | undefined;
  /** Whether a request, or an upgrade, is its own. */
  serves(req: IncomingMessage): boolean;
  readonly onRequest: RequestListener;
  /** Takes requests with `Expect: 100-continue` that were not told to go on. Default: they are told so at once. */
  readonly onExpect?: RequestListener | undefined;
  /** Takes upgrades. Default: they are left to the listeners of the server. */
  readonly onUpgrade?: ((req: IncomingMessage, socket: Duplex, head: Buffer) => void) | undefined;
  /** Makes room for the next attachment of its path. */
  isClosed(): boolean;
}

type Emit = Server["emit"];

/** An attachment, and what its requests are emitted on. */
interface Entry extends Attachment {
  readonly target: EventEmitter;
}

/** The attachments of one server, kept on it: the first one replaces its `emit`. */
interface Attached {
  readonly entries: Entry[];
  readonly replacedEmit: Emit;
  readonly emit: Emit;
}

const attachedKey = /* @__PURE__ */ Symbol("runner.node.server.attached");

type AttachableServer = Server & { [attachedKey]?: Attached };

/**
 * Gives the requests below a path to one listener and to no other listener of the server, whenever that was added: two
 * that reply to one request fail each other, and a catch-all of the server cannot know which requests are taken.
 *
 * @returns what gives the path back; calling it again does nothing
 */
export function attach(server: AttachableServer, attachment: Attachment): () => void {
  const attached = (server[attachedKey] ??= install(server));
  const { entries } = attached;
  const { basePath, onRequest } = attachment;
  const entry: Entry = { ...attachment, target: new EventEmitter().on("request", onRequest) };
  const replaced = entries.findIndex((each) => each.basePath === basePath && each.isClosed());
  if (replaced !== -1) entries.splice(replaced, 1);
  const behind = entries.findIndex((each) => rankOf(each) <= rankOf(attachment));
  entries.splice(behind === -1 ? entries.length : behind, 0, entry);
  return () => {
    const index = entries.indexOf(entry);
    if (index === -1) return;
    entries.splice(index, 1);
    // Something else may have wrapped it in turn; without entries it passes everything on.
    if (entries.length === 0 && server.emit === attached.emit) uninstall(server, attached);
  };
}

const rankOf = ({ basePath }: Attachment): number => basePath?.length ?? Infinity;

function install(server: AttachableServer): Attached {
  const entries: Entry[] = [];
  const replacedEmit = server.emit;
  const emit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    const isUpgrade = event === "upgrade";
    const entry =
      typeof event === "string" && (isUpgrade || requestEvents.has(event))
        ? entries.find(
            (each) => (!isUpgrade || each.onUpgrade !== undefined) && each.serves(args[0] as IncomingMessage),
          )
        : undefined;
    if (entry === undefined) return Reflect.apply(replacedEmit, this, [event, ...args]) as boolean;
    if (isUpgrade) {
      entry.onUpgrade?.(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer);
      return true;
    }
    const res = args[1] as ServerResponse;
    // What Node does by itself where nothing listens for these events.
    if (event === "checkExpectation") res.writeHead(417).end();
    else if (event === "checkContinue" && entry.onExpect !== undefined) entry.onExpect(args[0] as IncomingMessage, res);
    else {
      if (event === "checkContinue") res.writeContinue();
      // By the function that was replaced, so that what instruments requests there sees this one as well.
      Reflect.apply(replacedEmit, entry.target, ["request", ...args]);
    }
    return true;
  } as Emit;
  server.emit = emit;
  return { entries, replacedEmit, emit };
}

function uninstall(server: AttachableServer, { replacedEmit }: Attached): void {
  Reflect.deleteProperty(server, "emit");
  // It was a property of this very server, not of its class.
  if (server.emit !== replacedEmit) server.emit = replacedEmit;
  delete server[attachedKey];
}

/** Where a listener for one of the others exists, Node emits that in place of "request" when a request has `Expect`. */
const requestEvents: ReadonlySet<string> = /* @__PURE__ */ new Set(["request", "checkContinue", "checkExpectation"]);
