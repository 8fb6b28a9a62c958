import { randomBytes } from "node:crypto";
import type { ITask } from "../../../define/task";
import type { Store } from "../../../runtime/run/store";
import type { TaskCell } from "../../../runtime/link/taskCell";
import { bindableNames, isBindableName } from "../../../relay/publicUrl";
import { visitorErrors } from "../visitorError";
import { tunnelGate, type BuiltinTunnelGate, type TunnelGate, type TunnelGateGroups } from "./gateContract";
import { createIpGate, type IpGateConfig } from "./ip";
import { pass, type Gate, type GateVerdict } from "./judge";
import { createJwtGate, type JwtGateConfig } from "./jwt";
import { createPasswordGate, type PasswordGateConfig } from "./password";
import { createTokenGate, type TokenGateConfig } from "./token";

/** Groups of gates, ready to judge. */
export type GateGroups = readonly (readonly Gate[])[];

/** Gates of the bindings of a relay. */
export interface RelayGates {
  /** @returns `undefined` where the binding is open */
  of(name: string | undefined): GateGroups | undefined;
  /** Headers that carry credentials of any of them, in lower case. */
  readonly secretHeaders: ReadonlySet<string>;
}

/** What a relay's config says of gates. */
export interface GatesConfig {
  readonly gates?: TunnelGateGroups | undefined;
  readonly gatesByName?: Readonly<Record<string, TunnelGateGroups>> | undefined;
}

/**
 * Makes gates ready to judge; one that is listed several times is one gate.
 *
 * @throws {TypeError} the config cannot be meant, or a task is not registered or not tagged; the message names the option
 */
export async function compileGates({ gates, gatesByName = {} }: GatesConfig, store: Store): Promise<RelayGates> {
  const key = randomBytes(32);
  const compiled = new Map<TunnelGate, Gate>();
  const compileOne = async (option: string, gate: TunnelGate): Promise<Gate> => {
    const known = compiled.get(gate);
    if (known !== undefined) return known;
    const made = isBuiltin(gate) ? await compileBuiltin(option, gate, key) : taskGate(option, gate, store);
    compiled.set(gate, made);
    return made;
  };
  const compileGroups = async (option: string, groups: TunnelGateGroups): Promise<GateGroups | undefined> => {
    assertGroups(option, groups);
    const made: Gate[][] = [];
    for (const [place, group] of groups.entries()) {
      const members: Gate[] = [];
      for (const [index, gate] of group.entries()) {
        members.push(await compileOne(`${option}[${place}][${index}]`, gate));
      }
      made.push(members);
    }
    return made.length === 0 ? undefined : made;
  };

  const general = gates === undefined ? undefined : await compileGroups("tunnelRelay: gates", gates);
  const byName = new Map<string, GateGroups | undefined>();
  for (const [name, groups] of Object.entries(gatesByName)) {
    // Gates of such a name would guard nothing.
    if (!isBindableName(name)) {
      throw new TypeError(`tunnelRelay: gatesByName has "${name}", which no binding can have: ${bindableNames}.`);
    }
    byName.set(name, await compileGroups(`tunnelRelay: gatesByName.${name}`, groups));
  }
  return {
    secretHeaders: new Set([...compiled.values()].flatMap(({ secretHeaders }) => secretHeaders)),
    of: (name) => (name !== undefined && byName.has(name) ? byName.get(name) : general),
  };
}

/** An empty group would let everyone in, and a flat list says neither "and" nor "or". */
function assertGroups(option: string, groups: TunnelGateGroups): void {
  const isGroups = Array.isArray(groups) && groups.every((group: unknown) => Array.isArray(group) && group.length > 0);
  if (isGroups) return;
  throw new TypeError(
    `${option} must be groups of gates, none of them empty: [[a, b], [c]] lets in who passes both a and b, or c.`,
  );
}

const isBuiltin = (gate: unknown): gate is BuiltinTunnelGate =>
  typeof gate === "object" && gate !== null && (gate as { kind?: unknown }).kind === "tunnelGate";

function compileBuiltin(option: string, { gate, config }: BuiltinTunnelGate, key: Buffer): Gate | Promise<Gate> {
  const named = `${option} (globals.tunnelGates.${gate})`;
  switch (gate) {
    case "password":
      return createPasswordGate(named, config as PasswordGateConfig, key);
    case "token":
      return createTokenGate(named, config as TokenGateConfig);
    case "jwt":
      return createJwtGate(named, config as JwtGateConfig);
    case "ip":
      return createIpGate(named, config as IpGateConfig);
  }
}

function taskGate(option: string, gate: string | ITask, store: Store): Gate {
  const id: unknown = typeof gate === "string" ? gate : (gate as ITask | undefined)?.id;
  if (typeof id !== "string") {
    throw new TypeError(
      `${option} is no gate: give globals.tunnelGates.password.with(...) or another of them, or a task tagged globals.tags.tunnelGate.`,
    );
  }
  const cell = store.findTask(id);
  if (cell === undefined) {
    throw new TypeError(`${option} names the task "${id}", which is not registered: add it to .register([...]).`);
  }
  if (!tunnelGate.exists(cell.task)) {
    throw new TypeError(`${option} names the task "${id}", which is no gate: add .tags([globals.tags.tunnelGate]).`);
  }
  return {
    name: id,
    secretParameters: [],
    secretHeaders: [],
    judge: async ({ visitor, signal }) => readVerdict(await askTask(cell, visitor, signal)),
  };
}

const askTask = (cell: TaskCell, input: unknown, signal: AbortSignal): Promise<unknown> =>
  cell.invoke(input, { scope: { signal } });

function readVerdict(result: unknown): GateVerdict {
  const { ok, status } =
    typeof result === "object" && result !== null ? (result as { ok?: unknown; status?: unknown }) : {};
  if (ok === true) return pass;
  return { kind: "deny", failure: status === 401 ? visitorErrors.gateAuth : visitorErrors.gateDenied };
}
