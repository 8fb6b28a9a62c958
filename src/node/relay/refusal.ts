/** What drivers and operators that are turned away can do about it; others learn the code alone. */
const advice: Readonly<Partial<Record<string, string>>> = {
  ORIGIN_NOT_ALLOWED: "Pages of this origin may not connect: list it in allowedOrigins of the relay.",
  HOST_NOT_ALLOWED: "This host name is none of the relay's: list it in hosts of the relay.",
  AUTH_NOT_CONFIGURED: "The relay has no credentials configured, and serves programs of its own machine only.",
  AUTH_EXPIRED: "The credentials have expired.",
  POLICY: "The policy of this caller permits no binding.",
  CAPACITY: "The relay takes no more connections.",
  GOING_AWAY: "The relay stops.",
};

/** The body of a refusal, as JSON. */
export const refusalBody = (code: string): string =>
  JSON.stringify({ error: { code, message: advice[code] ?? `The relay refuses this request (${code}).` } });
