import { interleave } from "./interleave.mjs";
import { startPeers, stopAll } from "./peerProcess.mjs";
import { median, medianRatio } from "./stats.mjs";

/**
 * Measures every peer in every row, one fresh process for each pair, and calls `report` per row. A peer that cannot do
 * what a row asks for says so: its `start` gives `{ missing: true }`.
 *
 * @param peers the module of each peer, by name
 * @param rows `key` is given to `start` as `row`; `base` names the peer that ratios are relative to
 */
export async function measureMatrix({ peers, rows, rounds, report }) {
  for (const row of rows) {
    const running = await startPeers(
      Object.fromEntries(Object.entries(peers).map(([name, module]) => [name, { module, options: { row: row.key } }])),
    );
    for (const [name, peer] of running) {
      if (peer.ready.missing === true) {
        running.delete(name);
        await peer.stop();
      }
    }
    const samples = await interleave(running, rounds, (peer) => peer.call("sample"));
    await stopAll(running);
    const base = samples.get(row.base);
    report(
      row,
      (name) => (samples.has(name) ? median(samples.get(name)) : NaN),
      (name) => (samples.has(name) && base !== undefined ? medianRatio(samples.get(name), base) : NaN),
    );
  }
}

/** The entries the command line asks for: all, or those named. */
export const pick = (entries, names) =>
  names === undefined
    ? entries
    : Object.fromEntries(names.map((name) => [name, entries[name]]).filter(([, entry]) => entry));
