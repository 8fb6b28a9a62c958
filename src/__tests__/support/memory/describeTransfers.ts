import type { ClientAnswers, TransferRequest } from "./client";
import type { ServerAnswers } from "./server";
import { startProgram, type Program } from "../startProgram";

const MiB = 1024 * 1024;
const kinds: readonly TransferRequest["kind"][] = ["an upload of raw bytes", "an upload of a file", "a download"];

/** The tests that say how much memory a transfer takes, at one size. */
export function describeTransfers(mebibytes: number, limits: { readonly peakMiB: number; readonly growthMiB: number }) {
  let server: Program<ServerAnswers>;
  let client: Program<ClientAnswers>;
  beforeAll(async () => {
    [server, client] = await Promise.all([
      startProgram<ServerAnswers>("memory/server"),
      startProgram<ClientAnswers>("memory/client"),
    ]);
  }, 30_000);
  afterAll(() => Promise.all([server?.[Symbol.asyncDispose](), client?.[Symbol.asyncDispose]()]));

  it.each(kinds)(
    `takes less than ${limits.peakMiB} MiB on either side for ${mebibytes} MiB: %s`,
    async (kind) => {
      const bytes = mebibytes * MiB;
      const baseUrl = await server.ask("baseUrl");
      const before = [await server.ask("footprint"), await client.ask("footprint")];

      const arrived = await client.ask("transfer", { baseUrl, kind, bytes });

      expect(arrived).toBe(bytes);
      const after = [await server.ask("footprint"), await client.ask("footprint")];
      for (const [side, { resident, residentPeak }] of after.entries()) {
        expect(residentPeak / MiB).toBeLessThan(limits.peakMiB);
        expect((resident - (before[side]?.resident ?? 0)) / MiB).toBeLessThan(limits.growthMiB);
      }
    },
    60_000,
  );
}
