import type { PublicUrlMatch } from "../../relay/publicUrl";
import type { Binding, BindingTable } from "./bindings";
import type { ResolvedRelayConfig } from "./config";

/** A binding that a host or path leads to, and the part of the path that does. */
export interface FoundRoute {
  readonly binding: Binding | undefined;
  /** `""` where the host leads there. */
  readonly prefix: string;
}

/** Which binding hosts and paths lead to: aliases first, then host patterns, then the longest path prefix. */
export class RelayRoutes {
  readonly #config: ResolvedRelayConfig;
  readonly #bindings: BindingTable;
  readonly #patterns: ResolvedRelayConfig["patterns"];

  constructor(config: ResolvedRelayConfig, bindings: BindingTable) {
    this.#config = config;
    this.#bindings = bindings;
    this.#patterns = config.patterns.toSorted(
      (a, b) => Number(b.isByHost) - Number(a.isByHost) || b.prefixLength - a.prefixLength,
    );
  }

  /** @returns `undefined` where nothing of this kind leads from the host and path: they are the relay's own */
  find(host: string, path: string): FoundRoute | undefined {
    const alias = this.#config.aliases.get(host);
    if (alias !== undefined) return { binding: this.#bindings.byName(alias), prefix: "" };
    for (const pattern of this.#patterns) {
      const match = pattern.match(host, path);
      if (match !== undefined) return { binding: this.#bindingOf(match), prefix: match.prefix };
    }
    return undefined;
  }

  #bindingOf({ name, port, session }: PublicUrlMatch): Binding | undefined {
    const binding = name === undefined ? port && this.#bindings.byPort(port) : this.#bindings.byName(name);
    if (!binding || binding.mode !== "expose") return undefined;
    const agrees =
      (port === undefined || binding.containerPort === port) &&
      (session === undefined || binding.session.id === session);
    return agrees ? binding : undefined;
  }
}
