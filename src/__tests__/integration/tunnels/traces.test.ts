import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpMixedClient, globals, r } from "../../../node";
import { createDeferred } from "../../support/deferred";
import { serve, token } from "../../support/tunnelPair";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

/** A service that is called with these headers, and in turn calls another one; what arrives there. */
async function passOn(headers: Record<string, string>): Promise<IncomingHttpHeaders> {
  const seen = createDeferred<IncomingHttpHeaders>();
  const last = createServer((req, res) => {
    seen.resolve(req.headers);
    res.setHeader("content-type", "application/json").end('{"ok":true}');
  });
  await new Promise<void>((resolve) => last.listen(0, "127.0.0.1", resolve));
  const client = createHttpMixedClient({ baseUrl: `http://127.0.0.1:${(last.address() as AddressInfo).port}` });
  const far = r.task.phantom<void, void>("far").build();
  const near = r
    .task("near")
    .dependencies({ far })
    .run(async (_input: void, deps) => deps.far())
    .build();
  const routed = r
    .resource("routed")
    .tags([globals.tags.tunnel])
    .init(async () => ({ mode: "client" as const, tasks: [far], client }))
    .build();
  await using server = await serve([far, near, routed], { mode: "server", tasks: [near] });
  try {
    const response = await fetch(`${server.baseUrl}/task/near`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-runner-token": token, ...headers },
      body: "{}",
    });
    expect(response.status).toBe(200);
    return await seen.promise;
  } finally {
    await client.close();
    last.close();
  }
}

it("a trace is passed on with a span of its own for each hop, its flags and the state of vendors", async () => {
  const { traceparent, tracestate } = await passOn({
    traceparent: `00-${traceId}-${spanId}-01`,
    tracestate: "vendor=1,other=2",
  });

  expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  expect(traceparent).not.toContain(spanId);
  expect(tracestate).toBe("vendor=1,other=2");
});

it("a trace of a later version of the header is passed on as one of this version", async () => {
  const { traceparent } = await passOn({ traceparent: `cc-${traceId}-${spanId}-01-what-comes-later` });

  expect(traceparent).toMatch(new RegExp(`^00-${traceId}-`));
});

it.each([
  ["of no version", `ff-${traceId}-${spanId}-01`],
  ["with more fields than its version has", `00-${traceId}-${spanId}-01-more`],
  ["of zeros", `00-${"0".repeat(32)}-${spanId}-01`],
  ["of a call of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
  ["in upper case", `00-${traceId.toUpperCase()}-${spanId}-01`],
  ["that is too short", `00-${traceId}`],
  ["that is text", "hello"],
])("a trace %s is ignored, and its state with it", async (_what, traceparent) => {
  const passed = await passOn({ traceparent, tracestate: "vendor=1" });

  expect(passed).not.toHaveProperty("traceparent");
  expect(passed).not.toHaveProperty("tracestate");
});

it("a trace without a state that can be passed on goes on without one", async () => {
  const passed = await passOn({ traceparent: `00-${traceId}-${spanId}-00`, tracestate: `v=${"x".repeat(600)}` });

  expect(passed["traceparent"]).toMatch(/-00$/);
  expect(passed).not.toHaveProperty("tracestate");
});
