/** The middle of the values; of nothing, NaN. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How many times the base it is: the median of the ratios within each round, so that drift cancels out. */
export const medianRatio = (values, base) => median(values.map((value, round) => value / base[round]));
