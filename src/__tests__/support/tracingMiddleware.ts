import { r } from "../../index";

/** A middleware that writes its id down and goes on. */
export const tracingMiddleware = (id: string, log: string[]) =>
  r.middleware
    .task(id)
    .run(async ({ next }) => {
      log.push(id);
      return next();
    })
    .build();
