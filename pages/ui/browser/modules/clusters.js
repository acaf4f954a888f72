// Groups codes by the nearest of the given centres.

// The index of the centre (K * J) nearest to each code of a model.
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
