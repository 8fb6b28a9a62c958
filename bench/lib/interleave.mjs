/**
 * Takes one sample of every peer per round, so that a change of the machine's mood meets all of them.
 * @returns the samples by peer, in the order of the rounds
 */
export async function interleave(peers, rounds, sample) {
  const names = [...peers.keys()];
  const samples = new Map(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      samples.get(name).push(await sample(peers.get(name), name));
    }
  }
  return samples;
}
