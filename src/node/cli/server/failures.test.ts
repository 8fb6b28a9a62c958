import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { startExposure, token, type TestExposure } from "../../../__tests__/support/exposure";
import { freePort } from "../../../__tests__/support/freePort";
import { runRunner, startRunner } from "../../../__tests__/support/runnerCommand";
import { soon } from "../../../__tests__/support/soon";
import { r } from "../../index";

const env = { RUNNER_TOKEN: token };
const urlOf = ({ port }: TestExposure): string => `http://127.0.0.1:${port}/__runner`;

beforeAll(ensureBuilt, buildTimeoutMs);

/** Whatever stands where an exposure should be. */
async function startOther(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/__runner`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("Commands that talk to something else than an exposure", () => {
  const html =
    (status: number): RequestListener =>
    (_req, res) =>
      res.writeHead(status, { "content-type": "text/html" }).end("<p>");
  const noExposure = (status: number) => `Something that is no exposure replied with status ${status}.`;

  it.each<[string, RequestListener, number, string[], readonly [call: string, tail: string, ls: string]]>([
    ["does not know the path", html(404), 4, [], [noExposure(404), "The server has no subscriptions", noExposure(404)]],
    [
      "redirects",
      (_req, res) => res.writeHead(302, { location: "https://elsewhere.example/" }).end(),
      4,
      [],
      ['a redirect (302) to "https://elsewhere.example/"', "a redirect (302)", noExposure(302)],
    ],
    ["is a proxy that reaches nothing", html(502), 5, ["tail"], [noExposure(502), "", noExposure(502)]],
    [
      "never replies",
      () => {},
      5,
      ["call", "tail", "ls"],
      ["timeout after 1000ms", "The server did not let events be heard within 1 s.", "did not reply in time"],
    ],
  ])("say so with one exit code where it %s", async (_name, listener, exitCode, timed, messages) => {
    await using other = await startOther(listener);
    const commands = [
      ["call", other.url, "a"],
      ["tail", other.url, "a"],
      ["ls", other.url],
    ];
    const timeOf = (name: string) => (timed.includes(name) ? ["--timeout", "1"] : []);
    const results = await Promise.all(
      commands.map(([name = "", ...args]) => runRunner([name, ...args, ...timeOf(name)], { env })),
    );

    expect(results.map((result) => result.exitCode)).toEqual([exitCode, exitCode, exitCode]);
    for (const [index, message] of messages.entries()) expect(results[index]?.stderr).toContain(message);
  });

  it("say at once that nothing listens, and give up in time", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const tail = await runRunner(["tail", url, "a", "--timeout", "1", "--json"], { env });

    expect(tail.exitCode).toBe(5);
    expect(
      tail.stderr
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([{ waiting: { code: "ECONNREFUSED" } }, { error: { code: "ECONNREFUSED" } }]);
  });

  it("say that a server does not speak TLS, in words of the network and not of OpenSSL", async () => {
    await using other = await startOther(html(200));
    const url = other.url.replace("http:", "https:");
    const commands = [
      ["ls", url],
      ["call", url, "a"],
      ["doctor", url],
    ];
    const [ls, call, doctor] = await Promise.all(commands.map((args) => runRunner(args, { env })));

    const said =
      "wrong version number: the server does not speak TLS, its address begins with http://. `runner doctor`";
    expect([ls?.exitCode, ls?.stderr]).toEqual([5, expect.stringContaining(said)]);
    expect([call?.exitCode, call?.stderr]).toEqual([5, expect.stringContaining(said)]);
    expect(doctor?.stdout).toContain("The handshake failed: wrong version number");
  });

  it("tell a reply that breaks off from one that does not come", async () => {
    await using other = await startOther((_req, res) => {
      res.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      res.write("{", () => res.destroy());
    });
    const { exitCode, stdout } = await runRunner(["doctor", other.url], { env });

    expect([exitCode, stdout]).toEqual([1, expect.stringContaining("The reply to GET /__runner/discovery breaks off")]);
  });
});

describe("A call that is stopped", () => {
  const seen = { begun: () => {}, gone: () => {} };
  const hang = r
    .task("shop.tasks.hang")
    .run(async (_input: void, _deps, { signal }) => {
      seen.begun();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      seen.gone();
    })
    .build();
  const endless = r
    .task("shop.tasks.endless")
    .stream(async function* () {
      for (let row = 0; ; row += 1) yield { row };
    })
    .build();
  const flood = r
    .task("shop.tasks.flood")
    .run(async () =>
      Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(65_536, 97);
        })(),
      ),
    )
    .build();

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("by %s ends with %d, says nothing, and the server notices", async (signal, expected) => {
    await using exposure = await startExposure([hang]);
    const begun = new Promise<void>((resolve) => (seen.begun = resolve));
    const gone = new Promise<void>((resolve) => (seen.gone = resolve));
    const child = startRunner(["call", urlOf(exposure), hang.id, "--json"], { env });
    const closed = once(child, "close");
    const printed = Promise.all([text(child.stdout), text(child.stderr)]);
    await begun;
    child.kill(signal);

    expect((await closed)[0]).toBe(expected);
    expect(await printed).toEqual(["", ""]);
    await soon(gone);
  });

  it.each([
    ["items", endless.id],
    ["bytes", flood.id],
  ])("by a reader of its %s that has gone ends with 0, and says nothing", async (_what, id) => {
    await using exposure = await startExposure([endless, flood]);
    const child = startRunner(["call", urlOf(exposure), id], { env });
    const closed = once(child, "close");
    const said = text(child.stderr);
    await once(child.stdout, "data");
    child.stdout.destroy();

    expect([(await closed)[0], await said]).toEqual([0, ""]);
  });
});

describe("What a command cannot be carried out with", () => {
  it.each<[string, readonly string[], string]>([
    ["there is no such command", ["lss", "--json"], 'There is no command "lss".'],
    ["a command is misspelt", ["docter", "http://a", "--json"], 'There is no command "docter". Did you mean "doctor"?'],
    ["migrate has no command", ["migrate", "--json"], "A command is needed after runner migrate. There is one: check."],
    ["one of migrate is misspelt", ["migrate", "chek", "--json"], 'There is no command "migrate chek". Did you mean'],
    ["an entry of migrate check is missing", ["migrate", "check", "no.ts", "--json"], 'There is no file "no.ts".'],
    ["the arguments make no sense", ["ls", "ftp://a", "--json"], "<url> must be an http or https URL"],
    ["a command of a group is missing", ["contract", "--json"], "A command is needed after runner contract."],
    ["a file is a folder", ["call", "http://127.0.0.1:7070", "a", "--file", "scan=.", "--json"], "it is a directory"],
  ])("is one object with --json where %s", async (_name, args, message) => {
    const { exitCode, stdout, stderr } = await runRunner(args);

    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: "USAGE",
        message: expect.stringContaining(message) as string,
        help: expect.stringContaining("--help") as string,
      },
    });
  });
});
