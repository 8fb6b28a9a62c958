/** A server of a run. The run drains all of its servers at once, before it disposes of anything they may need. */
export interface ServerDrain {
  /** Longest time that `drain` takes, in ms; known beforehand, so that time limits of a shutdown can add it. */
  readonly longestMs: number;
  /** Serves what is on its way, takes nothing new, and waits for the calls in flight. May be called more than once. */
  drain(): Promise<void>;
}

/** The servers of one run. */
export interface Drains {
  /** @returns what removes it; calling it again does nothing */
  add(server: ServerDrain): () => void;
  readonly isEmpty: boolean;
  /** Longest time that `drainAll` takes, in ms; 0 without servers. */
  readonly longestMs: number;
  /** Drains all servers at once. Never rejects: what fails is thrown again where the server itself is disposed of. */
  drainAll(): Promise<void>;
}

export function createDrains(): Drains {
  const servers = new Set<ServerDrain>();
  return {
    add(server) {
      servers.add(server);
      return () => void servers.delete(server);
    },
    get isEmpty() {
      return servers.size === 0;
    },
    get longestMs() {
      return Math.max(0, ...[...servers].map(({ longestMs }) => longestMs));
    },
    async drainAll() {
      await Promise.allSettled([...servers].map(async (server) => server.drain()));
    },
  };
}
