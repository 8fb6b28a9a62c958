import { r } from "../../../node/index";
import { startExposure, token } from "../../support/exposure";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();
const hello = task("hello", () => "hi");
const headers = { "x-runner-token": token };

describe("a CORS policy that is asynchronous", () => {
  const origin = async (requested: string | undefined) => {
    await new Promise(setImmediate);
    return requested === "https://a.test" ? requested : null;
  };
  const ask = async (exposure: { readonly port: number }, method: string, from: string) => {
    const url = `http://127.0.0.1:${exposure.port}/__runner/task/hello`;
    const reply = await fetch(url, { method, headers: { ...headers, origin: from } });
    return [reply.status, reply.headers.get("access-control-allow-origin"), reply.headers.get("vary")];
  };

  it.each([
    ["POST", 200],
    ["OPTIONS", 204],
    ["GET", 405],
  ])("a CORS policy that is asynchronous is awaited for %s", async (method, status) => {
    await using exposure = await startExposure([hello], { cors: { origin } });

    expect(await ask(exposure, method, "https://a.test")).toEqual([status, "https://a.test", "Origin"]);
    expect(await ask(exposure, method, "https://b.test")).toEqual([status, null, "Origin"]);
  });

  it("a CORS policy that is asynchronous decides who is a local caller, too", async () => {
    await using exposure = await startExposure([hello], { auth: {}, cors: { origin } });

    expect((await ask(exposure, "POST", "https://a.test"))[0]).toBe(200);
    expect((await ask(exposure, "POST", "https://b.test"))[0]).toBe(500);
  });

  it.each<[string, () => unknown]>([
    ["rejects", () => Promise.reject(new Error("down"))],
    ["never settles", () => new Promise(() => {})],
    ["gives no origin", async () => true],
  ])("a CORS policy that is asynchronous and %s makes the reply a 500, and runs nothing", async (_what, decide) => {
    let runs = 0;
    const counted = task("hello", () => (runs += 1));
    const cors = { origin: decide as () => Promise<string> };
    await using exposure = await startExposure([counted], { cors, limits: { authMs: 20 } });

    expect((await ask(exposure, "POST", "https://a.test"))[0]).toBe(500);
    expect((await ask(exposure, "OPTIONS", "https://a.test"))[0]).toBe(500);
    expect([runs, exposure.logs.filter(({ message }) => message === "exposure.http.unhandled").length]).toEqual([0, 2]);
  });
});

describe("a CORS policy that throws", () => {
  const origin = (): never => {
    throw new Error("no idea");
  };

  it.each(["POST", "OPTIONS"])(
    "a CORS policy that throws is survived by a request with %s, which keeps its id",
    async (method) => {
      await using exposure = await startExposure([hello], { cors: { origin } });
      const url = `http://127.0.0.1:${exposure.port}/__runner/task/hello`;

      const reply = await fetch(url, { method, headers: { ...headers, "x-runner-request-id": "mine" } });

      expect([reply.status, reply.headers.get("x-runner-request-id")]).toEqual([500, "mine"]);
      const logged = exposure.logs.filter(({ message }) => message === "exposure.http.unhandled");
      expect(logged.map(({ data }) => data)).toEqual([{ error: "no idea", requestId: "mine" }]);
    },
  );
});
