import { createHttpMixedClient } from "@bluelibs/runner/node";
import { token } from "../app/definitions";
import { universalCalls, type UniversalCall } from "../app/calls";
import { nodeCalls } from "../app/nodeCalls";
import { tryAll, type Report } from "../app/report";
import { expectedOfEntry } from "./describeCalls";
import { startProgram, type Program } from "./project";

/** What of the universal client is served differently from a call and its reply. */
const ofUniversalClient: readonly UniversalCall[] = [
  "reads the items of a streamed task, and what it returned",
  "sends items while the task reads them",
  "hears an event of the server",
  "makes the calls of one turn in one request",
];

/** What an exposure that the runtime serves answers to Node, and what a signal does to it. */
export function describeServing(runtime: string, commandOf: (program: string) => readonly string[]): void {
  describe(`an exposure served by ${runtime}`, () => {
    let server: Program;
    let outcomes: Report = {};
    beforeAll(async () => {
      server = startProgram(commandOf("serve.mjs"));
      const baseUrl = await server.line(/^ready ?(.*)/);
      const address = { baseUrl, redirectingUrl: baseUrl };
      const universal = universalCalls(address, runtime);
      const chosen = Object.fromEntries(ofUniversalClient.map((name) => [name, universal[name]]));
      outcomes = await tryAll({ ...chosen, ...nodeCalls(address, runtime) });
    }, 60_000);
    afterAll(() => server?.[Symbol.asyncDispose]());

    it.each(Object.entries(expectedOfEntry["@bluelibs/runner/node"]))(`served by ${runtime}: %s`, (name, value) => {
      expect(outcomes[name]).toEqual({ value });
    });

    it.each(ofUniversalClient)(`served by ${runtime} to the universal client: %s`, (name) => {
      expect(outcomes[name]).toEqual({ value: expectedOfEntry["@bluelibs/runner"][name] });
    });
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    `${runtime} answers the calls under way on %s, releases its resources, and ends with exit code 0`,
    async (signal) => {
      await using server = startProgram(commandOf("serve.mjs"));
      const baseUrl = await server.line(/^ready ?(.*)/);
      await using client = createHttpMixedClient({ baseUrl, auth: { token } });
      const slow = client.task<string, string>("app.finishLate", "slow");
      await client.task("app.awaitStart", "slow");

      server.child.kill(signal);

      expect(await slow).toBe("finished");
      await server.line(/^released$/);
      expect(await server.ended).toBe(0);
    },
  );

  it.each(["SIGTERM", "SIGINT"] as const)(
    `${runtime} releases the resources of an application without a server on %s, and ends with exit code 0`,
    async (signal) => {
      await using program = startProgram(commandOf("wait.mjs"));
      await program.line(/^ready ?(.*)/);

      program.child.kill(signal);

      await program.line(/^released$/);
      expect(await program.ended).toBe(0);
    },
  );
}
