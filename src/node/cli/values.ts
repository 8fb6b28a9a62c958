import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { bindableNames, isBindableName } from "../../relay/publicUrl";
import { UsageError } from "./usageError";

/** Where there is a flag, it counts; an empty variable is none. */
export function fromEnvironment(value: string | undefined, variable: string): string | undefined {
  return value ?? (process.env[variable] === "" ? undefined : process.env[variable]);
}

/** @param name as the user gave it, `--port` or `<localPort>` */
export function readWhole(name: string, value: string, [least, most]: readonly [number, number]): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new UsageError(`${name} must be a whole number from ${least} to ${most}, got "${value}".`);
  }
  return number;
}

export function readPortRange(value: string): readonly [from: number, to: number] {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(value) ?? [];
  if (from === undefined || to === undefined || Number(from) > Number(to) || Number(to) > 65_535 || Number(from) < 1) {
    throw new UsageError(`--port-range must be two ports, the lower one first, as 20000-20999; got "${value}".`);
  }
  return [Number(from), Number(to)];
}

/** What a server can listen on; whether this machine has it is seen then. An empty one would be every address. */
export function readHost(value: string): string {
  const isName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(value);
  // A name of digits alone is an address that is wrong.
  if (isIP(value) !== 0 || (isName && !/^[\d.]+$/.test(value))) return value;
  throw new UsageError(`--host must be an address or a host name of this machine, got "${value}".`);
}

/** Name of a binding. */
export function readName(value: string): string {
  if (isBindableName(value)) return value;
  throw new UsageError(`--name "${value}" cannot be used: ${bindableNames}.`);
}

/** A token does not appear in the message. */
export function readToken(token: string): string {
  // What a header can carry, RFC 9110 section 5.5.
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(token)) {
    throw new UsageError("--token must be printable ASCII characters, at least one, without blanks around them.");
  }
  return token;
}

/** URL of a relay from `--relay` or the environment. */
export function readRelay(value: string | undefined): string {
  const relay = fromEnvironment(value, "RUNNER_TUNNEL_RELAY");
  const fix = "Add --relay https://relay.example.com, or set RUNNER_TUNNEL_RELAY.";
  if (relay === undefined) throw new UsageError(`The URL of the relay is needed. ${fix}`);
  const url = URL.canParse(relay) ? new URL(relay) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--relay must be an http or https URL. ${fix}`);
  if (url.username !== "" || url.password !== "") {
    throw new UsageError("--relay must have no user name and password in it. Pass credentials by --token.");
  }
  if (url.search !== "" || url.hash !== "") throw new UsageError(`--relay must have no query and no fragment. ${fix}`);
  return url.href.replace(/\/$/, "");
}

/** Token for a relay, from `--token` or the environment. */
export function readRelayToken(value: string | undefined): string | undefined {
  const token = fromEnvironment(value, "RUNNER_TUNNEL_TOKEN");
  return token === undefined ? undefined : readToken(token);
}

export function readFileOf(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${flag} "${path}" cannot be read: ${(error as Error).message}`);
  }
}
