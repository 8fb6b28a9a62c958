import type { Server } from "node:net";
import { ResetCode, type BindErrorCode } from "../../relay/codes";
import type { Bind, BindKind, BindMode } from "../../relay/controlMessages";
import { isBindableName } from "../../relay/publicUrl";
import type { ResolvedRelayConfig } from "./config";
import type { DriverRights } from "./driverRights";
import type { FdPermits } from "./fdPermits";
import type { MuxSession } from "../../relay/muxSession";
import { PendingBinds } from "./pendingBinds";
import type { VisitorPipeline } from "./pipeline";

/** A session, as far as bindings are concerned. */
export interface BindingSession {
  readonly id: string;
  readonly owner: { readonly principal: string; readonly rights: DriverRights };
  readonly isAttached: boolean;
  /** Whether it may have more bindings than it has. */
  readonly mayBind: boolean;
  readonly maxBindings: number;
  readonly bindings: Map<number, Binding>;
  /** Whether visitors of a binding may be let through to the driver now. */
  serves(binding: Binding): boolean;
  readonly mux: MuxSession | undefined;
  /** Tells the driver that a binding is no longer its own. */
  revoke(binding: Binding, code: "TAKEOVER" | "ADMIN"): void;
}

/** A published port. The session it leads to changes when another one takes it over; the listener stays. */
export interface Binding {
  readonly bindId: number;
  readonly kind: BindKind;
  readonly mode: BindMode;
  readonly containerPort: number;
  readonly name: string | undefined;
  readonly host: string;
  publicUrl: string | null;
  session: BindingSession;
  /** Connections that visitors keep open outlive the listener, and lead nowhere then. */
  isPublished: boolean;
  readonly listener: Server;
  /** What stands between visitors and the driver; `undefined` where nothing does. */
  readonly pipeline: VisitorPipeline | undefined;
}

export interface BindRefusal {
  readonly code: BindErrorCode;
  readonly message: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
}

/** How listeners are made, which is the business of who serves visitors. */
export interface ListenerFactory {
  /** Rejects with `EADDRINUSE` and the like. */
  listen(mode: BindMode, host: string, port: number, bindingOf: () => Binding | undefined): Promise<Server>;
  /** Ports that the relay itself uses. */
  isReserved(port: number): boolean;
  pipelineOf(name: string | undefined): VisitorPipeline | undefined;
  publicUrlOf(binding: Pick<Binding, "containerPort" | "name" | "session">): string | null;
}

/** What a table shares with the rest of its relay. */
export interface TableParts {
  /** One for each listener. */
  readonly permits: FdPermits;
}

/** The bindings of a relay, by port and by name. */
export class BindingTable {
  readonly #config: ResolvedRelayConfig;
  readonly #factory: ListenerFactory;
  readonly #parts: TableParts;
  readonly #byPort = new Map<number, Binding>();
  readonly #byName = new Map<string, Binding>();
  readonly #pending = new PendingBinds<BindingSession>();
  #nextBindId = 1;
  #takeovers = 0;

  constructor(config: ResolvedRelayConfig, factory: ListenerFactory, parts: TableParts) {
    this.#config = config;
    this.#factory = factory;
    this.#parts = parts;
  }

  /** Bindings that went from one session to another, parked ones included. */
  get takeovers(): number {
    return this.#takeovers;
  }

  get all(): readonly Binding[] {
    return [...this.#byPort.values()];
  }

  byPort(port: number): Binding | undefined {
    return this.#byPort.get(port);
  }

  byName(name: string): Binding | undefined {
    return this.#byName.get(name);
  }

  /** Checks in the order of the protocol's page, then listens. */
  async bind(request: Bind, session: BindingSession): Promise<Binding | BindRefusal> {
    const wanted = this.#read(request);
    if ("code" in wanted) return wanted;
    const { kind, name, port } = wanted;
    if (!session.owner.rights.permits({ kind, name, containerPort: port })) return againstPolicy;
    const holder =
      (port === 0 ? undefined : this.#byPort.get(port)) ?? (name === undefined ? undefined : this.#byName.get(name));
    const isHeldAlready = holder?.session === session && isSameBinding(holder, wanted);
    if (isHeldAlready) return holder;
    if (this.#isFull(session)) return capExceeded(session);
    if (holder !== undefined) return this.#takeOver(holder, wanted, session);
    const keys = [...(port === 0 ? [] : [`port ${port}`]), ...(name === undefined ? [] : [`name ${name}`])];
    const done = this.#pending.begin(keys, session);
    if (done === undefined) return refuse("ALREADY_BOUND", "It is being bound.");
    try {
      return await this.#listen(wanted, session);
    } finally {
      done();
    }
  }

  /** Lets no more visitors in. */
  unpublish(binding: Binding): void {
    if (!binding.isPublished) return;
    binding.isPublished = false;
    this.#byPort.delete(binding.containerPort);
    if (binding.name !== undefined) this.#byName.delete(binding.name);
    binding.listener.close();
  }

  /** Stops to publish a binding; its streams are cut. */
  drop(binding: Binding): void {
    this.unpublish(binding);
    binding.session.bindings.delete(binding.bindId);
    binding.session.mux?.resetStreams(binding.bindId, ResetCode.BIND_REVOKED);
  }

  #read(request: Bind): WantedBinding | BindRefusal {
    const { kind, mode, host, name, takeover } = request;
    const isKnown = (kind === "http" && mode === "expose") || (kind === "tcp" && mode === "pull");
    if (!isKnown || (mode === "pull" && takeover)) {
      return refuse("INVALID_KIND", "http with expose, and tcp with pull (without takeover), are what can be bound.");
    }
    if (host !== undefined && host !== null && !isLoopbackName(host)) {
      return refuse("INVALID_HOST", "Only loopback addresses can be bound.");
    }
    if (name !== undefined && name !== null && !(typeof name === "string" && isBindableName(name))) {
      return refuse("INVALID_HOST", "A name is one label of a host name, and none that is reserved.");
    }
    const port = this.#readPort(request.containerPort, mode);
    if (typeof port === "object") return port;
    return {
      kind: kind,
      mode: mode,
      host: mode === "pull" && typeof host === "string" ? host : "127.0.0.1",
      name: name ?? undefined,
      port,
      takeover,
    };
  }

  #readPort(port: unknown, mode: BindMode): number | BindRefusal {
    if (!Number.isInteger(port) || (port as number) < 0 || (port as number) > 65_535) {
      return refuse("RESERVED_PORT", "A port is a number from 0 to 65535.");
    }
    if (port !== 0 && (port as number) < 80) return refuse("PRIVILEGED_PORT", "Ports below 80 cannot be bound.");
    if (port !== 0 && (port as number) < 1_024 && !this.#config.allowPrivileged[mode]) {
      return refuse("PRIVILEGED_PORT", "The operator does not allow ports below 1024.");
    }
    if (this.#factory.isReserved(port as number)) return refuse("RESERVED_PORT", "The relay uses this port itself.");
    return port as number;
  }

  #isFull(session: BindingSession): boolean {
    return session.bindings.size + this.#pending.countOf(session) >= session.maxBindings;
  }

  /** One synchronous step: no visitor finds the binding without a session. */
  #takeOver(holder: Binding, wanted: WantedBinding, session: BindingSession): Binding | BindRefusal {
    const { session: before } = holder;
    if (before === session) return refuse("ALREADY_BOUND", "Another binding of this session has it.");
    const { principal, rights } = session.owner;
    if (!isSameBinding(holder, wanted) || holder.mode === "pull")
      return refuse("ALREADY_BOUND", "Another session has it.");
    // A port that was not asked for by its number.
    if (!rights.permits(holder)) return againstPolicy;
    const isOwn = before.owner.principal === principal;
    const isFree = isOwn && !before.isAttached;
    if (!isFree && !wanted.takeover) return refuse("ALREADY_BOUND", "Another session has it.");
    if (!isFree && rights.takeover === "none") return againstPolicy;
    if (!isOwn && rights.takeover !== "any") {
      return { ...refuse("ALREADY_BOUND", "A session of another caller has it."), retryable: false };
    }
    this.#takeovers += 1;
    holder.session = session;
    session.bindings.set(holder.bindId, holder);
    holder.publicUrl = holder.mode === "expose" ? this.#factory.publicUrlOf(holder) : null;
    before.mux?.resetStreams(holder.bindId, ResetCode.BIND_TAKEOVER);
    before.revoke(holder, "TAKEOVER");
    return holder;
  }

  async #listen(wanted: WantedBinding, session: BindingSession): Promise<Binding | BindRefusal> {
    const { mode, host, kind, name } = wanted;
    const release = this.#parts.permits.take();
    if (release === undefined) return refuse("INTERNAL", "The relay has no descriptor left for a listener.");
    let binding: Binding | undefined;
    for (const port of this.#candidates(wanted, session.owner.rights)) {
      try {
        const listener = await this.#factory.listen(mode, host, port, () => binding);
        // The driver may have left meanwhile.
        listener.once("close", release);
        if (!session.mayBind) {
          listener.close();
          return refuse("INTERNAL", "The session has ended.");
        }
        binding = {
          bindId: this.#nextBindId++,
          kind,
          mode,
          containerPort: port,
          name,
          host,
          publicUrl: null,
          session,
          isPublished: true,
          listener,
          pipeline: mode === "expose" ? this.#factory.pipelineOf(name) : undefined,
        };
        binding.publicUrl = mode === "expose" ? this.#factory.publicUrlOf(binding) : null;
        this.#byPort.set(port, binding);
        if (name !== undefined) this.#byName.set(name, binding);
        session.bindings.set(binding.bindId, binding);
        return binding;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (wanted.port !== 0) {
          release();
          return code === "EADDRINUSE"
            ? refuse("PORT_IN_USE", `Something else listens on port ${port}.`)
            : refuse("INTERNAL", `Port ${port} could not be opened${code === undefined ? "" : ` (${code})`}.`);
        }
      }
    }
    release();
    return refuse("INTERNAL", "No port of the range is free.");
  }

  /** A driver that may have certain ports only is given one of these, in or out of the range. */
  *#candidates({ port, mode }: WantedBinding, { ports }: DriverRights): Iterable<number> {
    if (port !== 0) {
      yield port;
      return;
    }
    const [from, to] = this.#config.portRange;
    const size = ports?.length ?? to - from + 1;
    const first = Math.floor(Math.random() * size);
    for (let step = 0; step < size; step++) {
      const index = (first + step) % size;
      const candidate = ports?.[index] ?? from + index;
      if (!this.#byPort.has(candidate) && this.#readPort(candidate, mode) === candidate) yield candidate;
    }
  }
}

interface WantedBinding {
  readonly kind: BindKind;
  readonly mode: BindMode;
  readonly host: string;
  readonly name: string | undefined;
  /** 0 for any. */
  readonly port: number;
  readonly takeover: boolean;
}

/** What may succeed later, without the driver asking for something else. */
const retryableCodes: ReadonlySet<BindErrorCode> = /* @__PURE__ */ new Set([
  "ALREADY_BOUND",
  "PORT_IN_USE",
  "INTERNAL",
]);

const refuse = (code: BindErrorCode, message: string): BindRefusal => ({
  code,
  message,
  retryable: retryableCodes.has(code),
});

const isSameBinding = (holder: Binding, { kind, name, port }: WantedBinding): boolean =>
  holder.kind === kind && holder.name === name && (port === 0 || holder.containerPort === port);

const capExceeded = ({ maxBindings }: BindingSession): BindRefusal =>
  refuse("BIND_CAP_EXCEEDED", `A session has at most ${maxBindings} bindings.`);

const againstPolicy: BindRefusal = /* @__PURE__ */ refuse("POLICY", "The policy of this caller does not permit it.");

const isLoopbackName = (host: unknown): boolean =>
  typeof host === "string" && (host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host));
