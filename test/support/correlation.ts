/** Where one sound lies in another, and how alike they are. */

/** By how many samples `part` lies later in `whole` than at 0: where they are most alike; and how alike, 0 … 1. */
export function bestLag(whole: Int16Array, part: Int16Array): { lag: number; likeness: number } {
  let best = { lag: 0, likeness: 0 };
  const own = part.reduce((sum, each) => sum + each * each, 0);
  /** Of what lies below the part. */
  let energy = whole.subarray(0, part.length).reduce((sum, each) => sum + each * each, 0);
  for (let lag = 0; lag + part.length <= whole.length; lag++) {
    let sum = 0;
    for (let i = 0; i < part.length; i++) sum += (whole[lag + i] as number) * (part[i] as number);
    const likeness = sum / Math.sqrt(own * energy || 1);
    if (likeness > best.likeness) best = { lag, likeness };
    energy += (whole[lag + part.length] ?? 0) ** 2 - (whole[lag] as number) ** 2;
  }
  return best;
}
