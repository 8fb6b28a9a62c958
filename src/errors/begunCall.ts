import { WireFailure } from "./wireErrors";

/** The same refusal of a call that has begun: clients repeat the others, since those were never taken. */
export const ofBegunCall = ({ status, code, message, data, retryAfterSeconds, cause }: WireFailure): WireFailure =>
  new WireFailure(
    { status, code, message, retryAfterSeconds, data: { ...(data as object | undefined), ran: true } },
    cause,
  );
