import { expectTypeOf } from "expect-type";
import {
  globals,
  nodeExposure,
  r,
  type AuthValidatorResult,
  type NodeExposureHttpAuthConfig,
} from "../../../node/index";

interface User {
  readonly id: string;
}
const currentUser = r.asyncContext<User>("x").build();
const task = r
  .task("x")
  .run(async (input: string, _dependencies, { name }) => {
    expectTypeOf(name).toEqualTypeOf<string | undefined>();
    return input;
  })
  .build();
const event = r.event<number>("x").build();

// Every field, in each of its forms.
nodeExposure.with({
  http: {
    auth: {
      header: "x-api-key",
      token: ["a", "b"],
      tokens: [
        { token: "c" },
        { token: "d", name: "till", principal: { id: "till" }, tasks: [task, "other"], events: [event] },
        { token: "e", tasks: ({ id }) => id.startsWith("x."), events: ({ id }) => id.startsWith("x.") },
      ],
      principal: currentUser,
      required: true,
      cookie: { name: "sid" },
      maxFailures: 0,
      allowAnonymous: false,
    },
    contexts: [currentUser, "other"],
    trustedProxies: ["10.0.0.0/8"],
  },
});
const auth = (config: NodeExposureHttpAuthConfig) => config;
auth({});
auth({ token: undefined, tokens: undefined, principal: undefined, cookie: undefined, maxFailures: undefined });

// @ts-expect-error -- the name of a header
auth({ header: 1 });
// @ts-expect-error -- a token is a string
auth({ token: 1 });
// @ts-expect-error -- each says which token it is about
auth({ tokens: [{ name: "till" }] });
// @ts-expect-error -- plain ones stand in `token`
auth({ tokens: ["c"] });
// @ts-expect-error -- the field is called tasks
auth({ tokens: [{ token: "c", task: [task] }] });
// @ts-expect-error -- a list or a function
auth({ tokens: [{ token: "c", tasks: "x" }] });
// @ts-expect-error -- an event is no task
auth({ tokens: [{ token: "c", tasks: [event] }] });
// @ts-expect-error -- a task is no event
auth({ tokens: [{ token: "c", events: [task] }] });
// @ts-expect-error -- the context itself, not its id
auth({ principal: "x" });
// @ts-expect-error -- the context is not built yet
auth({ principal: r.asyncContext<User>("x") });
// @ts-expect-error -- yes or no
auth({ required: "yes" });
// @ts-expect-error -- an object with the name
auth({ cookie: "sid" });
// @ts-expect-error -- a number of failures
auth({ maxFailures: "100" });
// @ts-expect-error -- yes or no
auth({ allowAnonymous: "yes" });
// @ts-expect-error -- no such field
auth({ tokenz: [] });

// What a validator returns.
const validator = (verdict: AuthValidatorResult) =>
  r
    .task("x")
    .tags([globals.tags.authValidator])
    .run(async ({ headers, method, url, path }) => {
      expectTypeOf(headers).toEqualTypeOf<Record<string, string | string[] | undefined>>();
      expectTypeOf([method, url, path]).toEqualTypeOf<string[]>();
      return verdict;
    })
    .build();
validator({ ok: false, message: "for the log" });
validator({ ok: true, name: "ada", principal: { id: "ada" }, tasks: [task], events: () => true });
validator({ ok: true, policy: { ports: [1] } });
// @ts-expect-error -- yes or no
validator({ ok: 1 });
// @ts-expect-error -- a verdict has one
validator({ name: "ada" });
// @ts-expect-error -- a list or a function
validator({ ok: true, tasks: "x" });

// Of whom middleware is told.
r.middleware.task("x").run(async ({ next, task: called, name, principal, origin }) => {
  expectTypeOf(name).toEqualTypeOf<string | undefined>();
  expectTypeOf(principal).toEqualTypeOf<unknown>();
  expectTypeOf(origin).toEqualTypeOf<string>();
  return next(called.input);
});
