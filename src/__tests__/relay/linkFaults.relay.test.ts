import { both, exchangeThrough } from "../support/relay/exchangeThrough";
import type { Faults } from "../support/relay/faultyProxy";

it.each<[string, number, Faults]>([
  ["is split into single bytes", 12_000, both({ pieceBytes: 1 })],
  ["is split into pieces of 7 bytes", 60_000, both({ pieceBytes: 7 })],
  ["is gathered into large pieces", 1_500_000, both({ gatherMs: 5 })],
  ["takes 50 ms each way", 1_500_000, both({ delayMs: 50 })],
  ["takes 300 ms each way", 100_000, both({ delayMs: 300 })],
  ["passes 2 MB a second", 300_000, both({ rate: 2_000_000 })],
  ["stands still for 100 ms now and then", 600_000, both({ stalls: { share: 0.05, ms: 100 }, pieceBytes: 32_768 })],
])(
  "a long exchange over a connection between driver and relay that %s is carried byte for byte, both ways",
  async (_title, size, faults) => {
    const { told, whole, connections } = await exchangeThrough(size, faults);

    expect(told).toEqual(whole);
    expect(connections).toBe(1);
  },
);
