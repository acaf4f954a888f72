// Keeps what is large for all components of the page: the nets and the codes of one model, sent once.

export const STORE = (window.vaeExplorer ??= { models: new Map(), waiting: new Set() });

// Calls back with the model of that key, at once or when it has come.
export function whenModel(key, then) {
  if (STORE.models.has(key)) return then(STORE.models.get(key));
  const wait = (model) => {
    if (model.key !== key) return;
    STORE.waiting.delete(wait);
    then(model);
  };
  STORE.waiting.add(wait);
}

export const column = (table) => table.getChildAt(0).toArray();

// Deflated bytes, all first bytes of the numbers, then all second ones: so the exponents lie together and shrink.
export async function inflate(bytes, Kind) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = Kind.BYTES_PER_ELEMENT;
  const whole = new Uint8Array(planes.length);
  const count = planes.length / size;
  for (let byte = 0; byte < size; byte++) {
    for (let i = 0; i < count; i++) whole[i * size + byte] = planes[byte * count + i];
  }
  return new Kind(whole.buffer);
}
