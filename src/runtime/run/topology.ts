/** Something that other processes may call. */
export interface ExposedEntry {
  readonly id: string;
  readonly kind: "task" | "event";
  /** Id of the tunnel that opens it. */
  readonly by: string;
}

/** Something that is run, or delivered, in another process. */
export interface RoutedEntry {
  readonly id: string;
  readonly kind: "task" | "event";
  /** Id of the tunnel that routes it. */
  readonly owner: string;
  /** Events alone: which side receives them. */
  readonly delivery?: string | undefined;
}

/** An event that other processes may listen to. */
export interface SubscribableEntry {
  readonly id: string;
  /** Id of the tunnel that lets them. */
  readonly by: string;
}

/** Where the tasks and events of an application run, and who may reach them. Plain data, sorted by id. */
export interface Topology {
  readonly exposed: readonly ExposedEntry[];
  /** Absent where nothing may be listened to. */
  readonly subscribable?: readonly SubscribableEntry[] | undefined;
  readonly routed: readonly RoutedEntry[];
  /** Ids of phantom tasks that no tunnel routes. */
  readonly unrouted: readonly string[];
  /** Ids of tunnels whose values are known only once they have initialised: in a dry run, those written by hand. */
  readonly dynamic: readonly string[];
}
