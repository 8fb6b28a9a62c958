/** How far an endpoint can be counted on. */
export type EndpointState =
  /** It answers. */
  | "up"
  /** It failed too often, and gets no calls for a while. */
  | "ejected"
  /** The while is over, and one call is on its way to find out. */
  | "probing"
  /** Its server said that it is closing, and gets no calls for a while. */
  | "draining";

/** One of several servers of the same tasks, as it is now. */
export interface EndpointInfo {
  /** Where its exposure is mounted, without a slash at the end. */
  readonly url: string;
  readonly state: EndpointState;
  /** Calls that wait for its reply. */
  readonly inFlight: number;
  /** How often it failed since it answered last. */
  readonly failures: number;
}

/** When an endpoint that fails is left alone. */
export interface EjectRules {
  /** After how many failures in a row. */
  readonly failures: number;
  /** For how long, in ms. */
  readonly forMs: number;
}

/** What came of a call, as far as its endpoint is concerned. */
export type Outcome =
  /** It answered, whatever the answer is. */
  | "answered"
  /** The call was not taken, or its reply was lost. */
  | "failed"
  /** It takes no more calls. */
  | "closing"
  /** The caller left. */
  | "unknown";

/** An endpoint as the pool keeps it. A class, since each call changes it. */
export class Endpoint implements EndpointInfo {
  readonly url: string;
  state: EndpointState = "up";
  inFlight = 0;
  failures = 0;
  /** When it failed last, on the pool's clock; 0: never. */
  failedAt = 0;
  /** Until when it gets no calls. */
  restsUntil = 0;
  /** Calls on their way to find out whether it is back: several where none can be counted on. */
  asking = 0;
  /** Whether the list of endpoints no longer has it. */
  isGone = false;

  constructor(url: string) {
    this.url = url;
  }
}

/** Chooses among endpoints that can be counted on, of which there is at least one. */
export type Balance = (endpoints: readonly Endpoint[]) => Endpoint;

/**
 * What is known of the endpoints of a pool. It neither sends nor waits, and its clock is handed in.
 *
 * An endpoint that failed too often gets no calls until its time is over; then one call goes there, and its outcome decides. With
 * none that can be counted on, the one that failed longest ago is tried: a pool never refuses a call by itself.
 */
export class EndpointStates {
  readonly #rules: EjectRules;
  readonly #now: () => number;
  /** Whether ejected endpoints come back by `passed` alone. */
  readonly #isProbed: boolean;
  #endpoints: readonly Endpoint[] = [];

  constructor(rules: EjectRules, now: () => number, isProbed = false) {
    this.#rules = rules;
    this.#now = now;
    this.#isProbed = isProbed;
  }

  get all(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Takes over a list of addresses; those that stay keep their state. @returns those that are gone */
  replace(urls: readonly string[]): readonly Endpoint[] {
    const known = new Map(this.#endpoints.map((endpoint) => [endpoint.url, endpoint]));
    this.#endpoints = urls.map((url) => known.get(url) ?? new Endpoint(url));
    const gone = [...known.values()].filter((endpoint) => !this.#endpoints.includes(endpoint));
    for (const endpoint of gone) endpoint.isGone = true;
    return gone;
  }

  /** Whether any endpoint can be counted on. */
  get hasUp(): boolean {
    return this.#endpoints.some(({ state }) => state === "up");
  }

  /**
   * The endpoint for a call, which is counted as in flight there until `settle`. Its state is "probing" where the call is to
   * find out whether it is back.
   *
   * @param tried where the call was sent before
   * @returns `undefined` where it was sent everywhere
   */
  take(balance: Balance, tried: readonly Endpoint[] = []): Endpoint | undefined {
    const endpoints = this.#endpoints;
    const isFree = ({ state }: Endpoint) => state === "up";
    // Almost always all of them are, and no list has to be made.
    const able = tried.length === 0 && endpoints.every(isFree) ? endpoints : this.#able(tried);
    const chosen = able.length > 0 ? balance(able) : leastRecentlyFailed(endpoints, tried);
    if (chosen === undefined) return undefined;
    chosen.inFlight += 1;
    if (chosen.state !== "up") {
      chosen.state = "probing";
      chosen.asking += 1;
    }
    return chosen;
  }

  #able(tried: readonly Endpoint[]): readonly Endpoint[] {
    const now = this.#now();
    return this.#endpoints.filter(
      (endpoint) => !tried.includes(endpoint) && (endpoint.state === "up" || this.#mayProbe(endpoint, now)),
    );
  }

  #mayProbe({ state, restsUntil }: Endpoint, now: number): boolean {
    return !this.#isProbed && (state === "ejected" || state === "draining") && restsUntil <= now;
  }

  /** A call is over. @param isAsking whether it was to find out if the endpoint is back */
  settle(endpoint: Endpoint, outcome: Outcome, isAsking: boolean): void {
    this.release(endpoint);
    this.note(endpoint, outcome, isAsking);
  }

  /** A call is over, of which is known how it was answered. */
  release(endpoint: Endpoint): void {
    endpoint.inFlight -= 1;
  }

  /** Takes notice of how a call was answered. @param isAsking as of `settle` */
  note(endpoint: Endpoint, outcome: Outcome, isAsking: boolean): void {
    if (isAsking) endpoint.asking -= 1;
    if (outcome === "answered") {
      // A reply that was under way says nothing of what a server that closes would take.
      if (endpoint.state === "draining") return;
      this.passed(endpoint);
    } else if (outcome === "unknown") {
      // The last call that was to find out did not.
      if (endpoint.state === "probing" && endpoint.asking === 0) endpoint.state = "ejected";
    } else {
      this.#failed(endpoint, outcome);
    }
  }

  /** It answers: it can be counted on. */
  passed(endpoint: Endpoint): void {
    endpoint.failures = 0;
    endpoint.state = "up";
  }

  /** It said that it takes no calls, or nothing. */
  refused(endpoint: Endpoint, state: "ejected" | "draining"): void {
    this.#rest(endpoint, state);
  }

  #failed(endpoint: Endpoint, outcome: "failed" | "closing"): void {
    endpoint.failures += 1;
    endpoint.failedAt = this.#now();
    if (outcome === "closing") this.#rest(endpoint, "draining");
    else if (endpoint.state === "draining") return;
    else if (endpoint.state !== "up" || endpoint.failures >= this.#rules.failures) this.#rest(endpoint, "ejected");
  }

  #rest(endpoint: Endpoint, state: "ejected" | "draining"): void {
    endpoint.state = state;
    endpoint.failedAt = this.#now();
    endpoint.restsUntil = endpoint.failedAt + this.#rules.forMs;
  }
}

function leastRecentlyFailed(endpoints: readonly Endpoint[], tried: readonly Endpoint[]): Endpoint | undefined {
  let least: Endpoint | undefined;
  for (const endpoint of endpoints) {
    if (tried.includes(endpoint)) continue;
    if (least === undefined || endpoint.failedAt < least.failedAt) least = endpoint;
  }
  return least;
}
