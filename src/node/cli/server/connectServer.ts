import { TunnelError } from "../../../errors/tunnelError";
import { isRecord } from "../../../tunnels/contract/jsonSchema";
import { readDiscovery, type Discovery } from "../../../tunnels/contract/readDiscovery";
import { createHttpMixedClient, type MixedHttpClient } from "../../index";
import type { ServerAddress } from "./serverAddress";

/** A client that sends what a command was given. */
export function connectServer({ baseUrl, token, headers, timeoutMs }: ServerAddress): MixedHttpClient {
  return createHttpMixedClient({
    baseUrl,
    timeoutMs,
    // Whatever a task replies with is printed: it may be a stream.
    forceSmart: true,
    ...(token !== undefined && { auth: { token } }),
    onRequest: (request) => void Object.assign(request.headers, headers),
  });
}

/** A reply of the server, whatever it says. */
export interface ServerReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Its body, if it is JSON. */
  readonly json: unknown;
}

const maxReplyBytes = 64 * 1024 * 1024;

/** Requests of commands follow no redirects, so that a token stays with its server. @throws {Error} without a reply */
export async function request(address: ServerAddress, path: string, init: RequestInit = {}): Promise<ServerReply> {
  const { baseUrl, token, headers, timeoutMs } = address;
  const reply = await fetch(baseUrl + path, {
    redirect: "manual",
    ...init,
    headers: {
      ...(token !== undefined && { "x-runner-token": token }),
      ...headers,
      ...(init.headers as Record<string, string> | undefined),
    },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await readText(reply).catch((error: Error) => {
    throw new BrokenReply(error);
  });
  return { status: reply.status, headers: reply.headers, text, json: parse(text) };
}

/** A reply began, and does not end. */
export class BrokenReply extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
    // What the command says is decided by it.
    this.name = cause.name;
  }
}

async function readText(reply: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of reply.body ?? []) {
    if ((bytes += chunk.length) > maxReplyBytes) throw new Error(`The reply is larger than ${maxReplyBytes} bytes.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What a server says may be called. @throws {TunnelError} it refused, or something else replied */
export async function discoverServer(address: ServerAddress): Promise<Discovery> {
  const reply = await request(address, "/discovery");
  const { status, json } = reply;
  const discovery = status === 200 && isRecord(json) ? contractChecked(json["result"]) : undefined;
  if (discovery !== undefined) return discovery;
  throw failureOf(reply);
}

/** Whatever stands there is narrowed before a command walks it. @throws {TunnelError} its contract is none */
function contractChecked(result: unknown): Discovery | undefined {
  try {
    return readDiscovery(result);
  } catch (error) {
    const message = `The contract of the server cannot be read: ${(error as Error).message}`;
    throw new TunnelError("INVALID_CONTRACT", message, { statusCode: 200 });
  }
}

/** The error that a reply has in it. */
export function failureOf({ status, json }: ServerReply): TunnelError {
  const error = isRecord(json) && json["ok"] === false ? json["error"] : undefined;
  const details = { statusCode: status };
  if (!isRecord(error)) {
    if (status !== 200) return new TunnelError("HTTP_ERROR", `Tunnel HTTP ${status}`, details);
    return new TunnelError("INVALID_RESPONSE", `Something that is no exposure replied with status ${status}.`, details);
  }
  const { code, message } = error;
  return new TunnelError(typeof code === "string" ? code : "HTTP_ERROR", String(message ?? ""), details);
}
