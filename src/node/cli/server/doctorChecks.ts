import { isRecord } from "../../../tunnels/contract/jsonSchema";
import { readDiscovery } from "../../../tunnels/contract/readDiscovery";
import { UsageError } from "../usageError";
import { readWhole } from "../values";
import { BrokenReply, failureOf, request, type ServerReply } from "./connectServer";
import { rootOf } from "./failure";
import { checkConnection, checkName, checkTls, fine, wrong, type Check } from "./networkChecks";
import type { ServerAddress } from "./serverAddress";

/** What to look at beyond the server itself. */
export interface Asked {
  readonly id?: string | undefined;
  readonly origin?: string | undefined;
  /** A number of bytes. */
  readonly body?: string | undefined;
}

const maxBodyBytes = 1024 * 1024 * 1024;

/** @throws {UsageError} */
export function readOrigin(origin: string | undefined): string | undefined {
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).origin === origin)) return origin;
  throw new UsageError("--origin must be a scheme and a host, as https://app.example.com.");
}

/** Walks outwards in: what comes later needs what comes before, so the first that is wrong is the reason. */
export async function* runChecks(address: ServerAddress, asked: Asked): AsyncGenerator<Check> {
  const bodyBytes = asked.body === undefined ? 0 : readWhole("--body", asked.body, [0, maxBodyBytes]);
  const url = new URL(address.baseUrl);
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const host = url.hostname.replace(/^\[|\]$/g, "");
  yield await checkName(host);
  yield await checkConnection(host, port, address.timeoutMs);
  if (url.protocol === "https:") yield await checkTls(host, port, address.timeoutMs);

  const reply = await request(address, "/discovery").catch((error: Error) => error);
  if (reply instanceof Error) return yield noReply(reply, url);
  yield await checkExposure(reply, url, address);
  yield checkCredentials(reply, address);
  const allowList = allowListOf(reply);
  if (allowList === undefined) return yield checkDiscovery(reply);
  yield checkAllowList(allowList, asked.id);
  yield await checkPost(address);
  if (asked.origin !== undefined) yield await checkOrigin(address, asked.origin);
  yield await describeVersions();
  if (bodyBytes > 0) yield await checkBody(address, bodyBytes, taskOf(allowList, asked.id));
  yield describeContract(reply);
}

function noReply(error: Error, url: URL): Check {
  const { code, message } = rootOf(error);
  if (error instanceof BrokenReply) {
    const how = "look at the log of the server and of proxies before it.";
    return wrong(
      "http",
      `The reply to GET ${url.pathname}/discovery breaks off: ${withoutDot(message || error.name)}.`,
      how,
    );
  }
  const isTls = url.protocol === "http:" && (code === "UND_ERR_SOCKET" || code === "HPE_INVALID_CONSTANT");
  const fix = isTls
    ? "it may speak TLS: use https:// in <url>."
    : "look at the log of the server and of proxies before it.";
  const reason = withoutDot(message || code || error.name);
  return wrong("http", `There is no reply to GET ${url.pathname}/discovery: ${reason}.`, fix);
}

const withoutDot = (message: string): string => message.replace(/\.$/, "");

/** Where exposures are when their config does not say so. */
const usualBasePath = "/__runner";

/** Whether an exposure replied, and not something that stands in its place. */
async function checkExposure(reply: ServerReply, url: URL, address: ServerAddress): Promise<Check> {
  const { status, headers, json } = reply;
  const path = `${url.pathname.replace(/\/$/, "")}/discovery`;
  if (status >= 300 && status < 400) {
    const location = headers.get("location") ?? "elsewhere";
    const fix = "clients follow no redirect, so that a token stays where it belongs: use the target as <url>.";
    return wrong("base path", `GET ${path} is redirected to ${location}.`, fix);
  }
  if (url.pathname !== usualBasePath && status === 404) {
    const usual = await request({ ...address, baseUrl: url.origin + usualBasePath }, "/discovery").catch(
      () => undefined,
    );
    if (usual !== undefined && usual.status !== 404 && isRecord(usual.json)) {
      return wrong(
        "base path",
        `No exposure replies at ${url.pathname}.`,
        `use ${url.origin}${usualBasePath} as <url>.`,
      );
    }
  }
  if (isEnvelope(json)) return fine("base path", `An exposure replies at ${url.pathname}.`);
  const seen = `GET ${path} gives ${status} and no envelope (${headers.get("content-type") ?? "no type"}).`;
  if ([502, 503, 504].includes(status)) {
    return wrong("base path", seen, "a proxy does not reach the server behind it: check its upstream.");
  }
  if ([401, 403, 407].includes(status)) {
    return wrong("base path", seen, "a proxy before the server refuses: give it what it asks for by --header.");
  }
  const fix = `http.basePath is another one (default "/__runner"), or a proxy does not pass ${url.pathname} on.`;
  return wrong("base path", seen, fix);
}

/** Proxies reply with JSON as well, of another shape. */
const isEnvelope = (json: unknown): boolean => isRecord(json) && typeof json["ok"] === "boolean";

function checkCredentials(reply: ServerReply, { token }: ServerAddress): Check {
  const { status, json } = reply;
  if (status === 200) return fine("credentials", token === undefined ? "None are needed." : "They are accepted.");
  const { code, message } = failureOf(reply);
  const given = token === undefined ? "No token was given" : "The token is not accepted";
  if (status === 401) return wrong("credentials", `${given}: ${code}.`, "pass the token of http.auth by --token.");
  if (code === "AUTH_NOT_CONFIGURED") {
    return wrong(
      "credentials",
      message,
      "set http.auth.token or a validator there; without them production serves none.",
    );
  }
  if (status === 429)
    return wrong("credentials", `Too many refused calls: ${message}.`, "wait, then use a right token.");
  if (status === 403)
    return wrong("credentials", message, "the caller is known and may do nothing; look at its rights.");
  if (status === 503)
    return wrong("credentials", message, "the server is closing or full, or a validator fails there.");
  return fine("credentials", isRecord(json) ? "They were not asked for." : "");
}

interface ListedIds {
  readonly enabled: boolean;
  readonly ids: readonly string[];
  readonly tasks: readonly string[];
}

function allowListOf({ status, json }: ServerReply): ListedIds | undefined {
  const result = status === 200 && isRecord(json) ? json["result"] : undefined;
  const allowList = isRecord(result) ? result["allowList"] : undefined;
  if (!isRecord(allowList)) return undefined;
  const [tasks = [], events = []] = [allowList["tasks"], allowList["events"]].map((list) =>
    (Array.isArray(list) ? (list as unknown[]) : []).filter((id) => typeof id === "string"),
  );
  return { enabled: allowList["enabled"] === true, ids: [...tasks, ...events], tasks };
}

/** The task whose path is tried: the one that was asked for, if it is one. */
const taskOf = ({ tasks }: ListedIds, id: string | undefined): string | undefined =>
  id !== undefined && tasks.includes(id) ? id : tasks[0];

function checkDiscovery(reply: ServerReply): Check {
  const { code, message } = failureOf(reply);
  if (code === "NOT_FOUND") {
    const fix =
      "its base path may be another one, or discovery is off (http.disableDiscovery): `runner call` tells whether calls work.";
    return wrong("discovery", "The exposure does not say what may be called.", fix);
  }
  return wrong("discovery", `${code}: ${message}`, "look at the log of the server.");
}

function checkAllowList({ enabled, ids }: ListedIds, id: string | undefined): Check {
  if (!enabled) {
    const fix = "register r.tunnel.server(...).tasks([...]) in the root of the server.";
    return wrong("allow-list", "No server tunnel says what may be called.", fix);
  }
  if (id !== undefined && !ids.includes(id)) {
    const near = ids
      .filter((each) => each.toLowerCase().includes(id.toLowerCase().split(".").at(-1) ?? id))
      .slice(0, 3);
    const hint = near.length === 0 ? "" : ` Similar ones: ${near.join(", ")}.`;
    return wrong(
      "allow-list",
      `"${id}" may not be called.${hint}`,
      "add it to a server tunnel, or to what the token may call.",
    );
  }
  if (ids.length === 0)
    return wrong("allow-list", "It is empty.", "name tasks in a server tunnel, or in the token's list.");
  return fine("allow-list", `${ids.length} may be called.`);
}

/** Some proxies let pages be read and nothing be sent. */
async function checkPost(address: ServerAddress): Promise<Check> {
  const reply = await post(address, "{}");
  if (reply instanceof Error) return wrong("method", `There is no reply to POST: ${rootOf(reply).message}.`, proxyFix);
  if (reply.status === 200) return fine("method", "POST is passed on.");
  return wrong("method", `POST gives ${reply.status}, where GET gives 200.`, proxyFix);
}

const proxyFix = "let proxies on the way pass POST, and a body, to this path.";

const post = (
  address: ServerAddress,
  body: string | Buffer<ArrayBuffer>,
  path = "/discovery",
): Promise<ServerReply | Error> =>
  request(address, path, { method: "POST", body, headers: { "content-type": "application/json" } }).catch(
    (error: Error) => error,
  );

async function checkOrigin(address: ServerAddress, origin: string): Promise<Check> {
  const wanted = [
    "content-type",
    ...(address.token === undefined ? [] : ["x-runner-token"]),
    ...Object.keys(address.headers),
  ];
  const headers = {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": wanted.join(","),
  };
  const { token: _token, ...anonymous } = address;
  const reply = await request({ ...anonymous, token: undefined, headers: {} }, "/discovery", {
    method: "OPTIONS",
    headers,
  }).catch((error: Error) => error);
  if (reply instanceof Error) return wrong("cors", `There is no reply to OPTIONS: ${rootOf(reply).message}.`, proxyFix);
  // Browsers read no header of a preflight that failed (Fetch standard, CORS-preflight fetch).
  if (reply.status < 200 || reply.status > 299) {
    const fix = "let proxies on the way pass OPTIONS to this path, without credentials.";
    return wrong("cors", `OPTIONS gives ${reply.status}, and browsers send nothing then.`, fix);
  }
  const allowed = reply.headers.get("access-control-allow-origin");
  if (allowed !== "*" && allowed !== origin) {
    const seen = `Pages of ${origin} may not call: access-control-allow-origin is ${allowed ?? "missing"}.`;
    return wrong("cors", seen, `add "${origin}" to http.cors.origin.`);
  }
  const listed = (reply.headers.get("access-control-allow-headers") ?? "").toLowerCase().split(/[\s,]+/);
  const missing = listed.includes("*") ? [] : wanted.filter((name) => !listed.includes(name.toLowerCase()));
  if (missing.length > 0) {
    return wrong("cors", `Pages may not send ${missing.join(", ")}.`, "add them to http.cors.allowedHeaders.");
  }
  return fine("cors", `Pages of ${origin} may call.`);
}

/**
 * Proxies limit each path, an exposure what is sent to a task. What is sent here is no JSON: at the path of a task it is
 * read, and refused before the task runs.
 */
async function checkBody(address: ServerAddress, bytes: number, task: string | undefined): Promise<Check> {
  const size = `A body of ${bytes} bytes`;
  const body = Buffer.alloc(bytes, "{");
  const seen = await post(address, body);
  const isPassed = !(seen instanceof Error) && seen.status === 200;
  const reply = isPassed && task !== undefined ? await post(address, body, `/task/${encodeURIComponent(task)}`) : seen;
  if (reply instanceof Error) return wrong("limits", `${size} gets no reply: ${rootOf(reply).message}.`, proxyFix);
  if (isPassed && reply.status !== 413) return fine("limits", `${size} arrives.`);
  const fix = isEnvelope(reply.json)
    ? "raise http.limits.json.maxSize of the exposure."
    : "raise the limit of the proxy (nginx: client_max_body_size).";
  return wrong("limits", `${size} gives ${reply.status}.`, fix);
}

/** No header and no discovery tells the version of a server. */
async function describeVersions(): Promise<Check> {
  const { ownPackage } = await import("../packageInfo");
  const own = ownPackage().version ?? "unknown";
  return fine("versions", `This command is of version ${own}; a server does not tell its own.`);
}

function describeContract({ json }: ServerReply): Check {
  try {
    const contract = readDiscovery(isRecord(json) ? json["result"] : undefined)?.contract;
    return fine(
      "contract",
      contract === undefined ? "It is not told (http.contract)." : `Its hash is ${contract.hash}.`,
    );
  } catch (error) {
    const seen = `The contract of the server cannot be read: ${withoutDot((error as Error).message)}.`;
    return wrong("contract", seen, "use the version of this command that the server has.");
  }
}
