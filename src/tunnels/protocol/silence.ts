/** As `longestTimerMs`, which clients of pages begin with: what is loaded later would move it into a further file. */
const longestMs = 2_147_483_647;

/**
 * How long a peer may be silent, in ms: as long as is configured, and at least three of the heartbeats that it promises.
 *
 * @param heartbeatMs what the peer says of itself, so any number. Default 0: nothing is known
 */
export const silenceLimit = (configuredMs: number, heartbeatMs = 0): number =>
  Math.min(Math.max(configuredMs, 3 * heartbeatMs), longestMs);
