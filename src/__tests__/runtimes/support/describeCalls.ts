import { startPeer, type HttpPeer } from "../../support/httpPeer";
import type { UniversalCall } from "../app/calls";
import type { Address } from "../app/definitions";
import { nodeClientKinds, type NodeCall, type OneClientCall } from "../app/nodeCalls";
import type { Report } from "../app/report";
import { startCounts, startServer } from "../app/server";

const rowsSeen = [1, 2, 3].map((id) => [id, id]);

/** What each call comes to, where everything works. */
const expectedUniversal: Record<UniversalCall, unknown> = {
  "detects its platform": "node",
  "takes a plain value there and back": { a: 1, list: [true, null, "ü"] },
  "takes a Date, a Map and a BigInt there and back": {
    isDate: true,
    isMap: true,
    at: "1970-01-01T00:00:00.000Z",
    big: "18446744073709551616n",
  },
  "catches the typed error of the task": { sku: "lamp", since: "1970-01-01T00:00:00.000Z" },
  "takes an async context along": "Ada",
  "uploads a Blob": { name: "ü.bin", type: "app/x", bytes: 100_000 },
  "reads a reply as it streams": 102_400,
  "reads the items of a streamed task, and what it returned": { seen: rowsSeen, result: { total: 3 } },
  "sends items while the task reads them": { from: "from", seen: rowsSeen },
  "hears an event of the server": { event: "app.events.renamed", isOurs: true },
  "makes the calls of one turn in one request": { results: [1, 2, 3], paths: ["/__runner/batch"] },
  "ends a call that it aborts, and the task over there": "rejected with the reason",
  "gives up a call that takes too long": "AbortError",
  "follows no redirect": "refused",
  "brings back what hooks made of an event": { name: "ADA", at: "1970-01-01T00:00:00.000Z" },
  "runs an application with a task of another process": { greeting: "hello Ada", released: ["tunnel"] },
  closes: "CLIENT_CLOSED",
};

const expectedOfNodeClient: Record<OneClientCall, unknown> = {
  "takes a plain value there and back": { a: 1 },
  "takes a Date, a Map and a BigInt there and back":
    expectedUniversal["takes a Date, a Map and a BigInt there and back"],
  "catches the typed error of the task": expectedUniversal["catches the typed error of the task"],
  "takes an async context along": "Ada",
  "sends JSON without the headers that fetch adds": [],
  "uploads a Blob": { name: "ü.bin", type: "app/x", bytes: 100_000 },
  "uploads a file as it streams": { name: "s.bin", type: "application/octet-stream", bytes: 1_000_000 },
  "reads a reply as it streams": 1_024_000,
  "streams both ways at once": ["IS ANYBODY THERE?", "GOODBYE"],
  "ends a call that it aborts, and the task over there": "rejected with the reason",
  closes: "CLIENT_CLOSED",
};

const expectedOfNodeEntry: Record<string, unknown> = {
  ...Object.fromEntries(
    nodeClientKinds.flatMap((kind) =>
      Object.entries(expectedOfNodeClient).map(([name, value]) => [`${kind}: ${name}`, value]),
    ),
  ),
  "disposes of the run": undefined,
};

/** The server that callers call: in this process, where everything else starts from, too. */
export interface CalledServer extends AsyncDisposable {
  readonly address: Address;
}

export async function startCalledServer(): Promise<CalledServer> {
  const { running, baseUrl } = await startServer();
  const peer: HttpPeer = await startPeer((request, response) =>
    response.writeHead(307, { location: new URL(request.url ?? "", baseUrl).href }).end(),
  );
  return {
    address: { baseUrl, redirectingUrl: peer.baseUrl },
    async [Symbol.asyncDispose]() {
      await peer[Symbol.asyncDispose]();
      await running.dispose();
    },
  };
}

export const expectedOfEntry = {
  "@bluelibs/runner": expectedUniversal,
  "@bluelibs/runner/node": expectedOfNodeEntry,
};

/** How a runtime makes the calls of the entries that it loads. */
export interface Calls {
  readonly entries: readonly (keyof typeof expectedOfEntry)[];
  /** Makes all calls and says what came of them. */
  readonly report: (address: Address) => Promise<Report>;
  /** What comes out differently in this runtime. */
  readonly deviations?: Partial<Record<UniversalCall | NodeCall, object>>;
}

/** A test for each call of each entry: the runtime calls a server in Node. */
export function describeCalls(runtime: string, { entries, report, deviations = {} }: Calls): void {
  describe(`calls from ${runtime}`, () => {
    let outcomes: Report = {};
    beforeAll(async () => {
      await using server = await startCalledServer();
      outcomes = await report(server.address);
    }, 60_000);

    it(`${runtime} sends no call twice, although it gave some up`, () => {
      const counts = Object.entries(startCounts()).filter(([key]) => key.startsWith(runtime));

      expect(counts.length).toBeGreaterThan(0);
      expect(counts.filter(([, count]) => count !== 1)).toEqual([]);
    });

    for (const entry of entries) {
      it.each(Object.entries({ ...expectedOfEntry[entry] }))(`${runtime} with ${entry}: %s`, (name, value) => {
        expect(outcomes[name]).toEqual(deviations[name as UniversalCall | NodeCall] ?? { value });
      });
    }
  });
}

/** Reads what the program `call` printed. */
export const parseReport = (line: string): Report => JSON.parse(line) as Report;
