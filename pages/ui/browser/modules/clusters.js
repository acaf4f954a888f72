// Codes in groups, by the nearest of so many centres.

// The group of each code of a model, that of the nearest centre (K * J).
export function nearest({ J, count, means }, centres) {
  return Array.from({ length: count }, (_, n) => {
    let [best, least] = [0, Infinity];
    for (let k = 0; k * J < centres.length; k++) {
      let distance = 0;
      for (let j = 0; j < J; j++) distance += (means[n * J + j] - centres[k * J + j]) ** 2;
      if (distance < least) [best, least] = [k, distance];
    }
    return best;
  });
}
