// Receives the data of a model; it has no visible output.

import { makeClassifier, makeDecoder, makeEncoder } from "./net.js";
import { column, inflate, STORE } from "./store.js";

export default function ({ data, parentElement }) {
  parentElement.host?.style.setProperty("display", "none");
  keepModel(data);
}

async function keepModel(data) {
  if (STORE.models.has(data.key)) return;
  const { config, count } = data;
  const J = config?.latent; // a classifier has none
  const unpack = (levels, { low, step }) => Float32Array.from(levels, (level, i) => low[i % J] + step[i % J] * level);
  const net = async (name, make) => {
    const layout = data[name];
    if (!layout) return null;
    const weights = await inflate(column(data[`${name}_weights`]), layout.half ? Uint16Array : Float32Array);
    return make({ layout, weights }, config);
  };
  /** @type {any} */ // the networks may arrive in either order
  const model = data.classifier
    ? { key: data.key, classify: await net("classifier", makeClassifier) }
    : data.encoder || !data.labels
      ? { key: data.key, encode: await net("encoder", makeEncoder) }
      : {
          key: data.key,
          config,
          count,
          J,
          classes: data.classes,
          colours: data.colours,
          height: config.image_shape[0],
          width: config.image_shape[1],
          images: data.images,
          sheets: data.sheets,
          labels: column(data.labels),
          means: unpack(column(data.means), data.mean_scale),
          deviations: data.deviations ? unpack(column(data.deviations), data.deviation_scale) : null,
          decode: await net("decoder", makeDecoder),
        };
  if (STORE.models.size > 8) STORE.models.delete([...STORE.models.keys()][0]);
  STORE.models.set(data.key, model);
  for (const wait of [...STORE.waiting]) wait(model);
}
