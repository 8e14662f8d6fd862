/** How alike two sounds are, and where one lies in the other. */

/** −1 to 1; of as much as the shorter has. */
export function correlation(one: Int16Array, other: Int16Array): number {
  let product = 0;
  let ofOne = 0;
  let ofOther = 0;
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    const a = one[i] as number;
    const b = other[i] as number;
    product += a * b;
    ofOne += a * a;
    ofOther += b * b;
  }
  return product / Math.sqrt(Math.max(1, ofOne * ofOther));
}

/** Where `part` lies in `whole` most likely: the greatest cross-correlation of its first 50 ms. */
export function bestLag(whole: Int16Array, part: Int16Array): number {
  const probe = part.subarray(0, 400);
  let best = 0;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let lag = 0; lag + probe.length <= whole.length; lag++) {
    let sum = 0;
    for (let i = 0; i < probe.length; i++) sum += (whole[lag + i] as number) * (probe[i] as number);
    if (sum > greatest) {
      greatest = sum;
      best = lag;
    }
  }
  return best;
}
