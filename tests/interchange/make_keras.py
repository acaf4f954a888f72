"""Creates data/keras/ with Keras 3.15.1 and its PyTorch backend.

    python3.11 -m venv keras-environment
    keras-environment/bin/pip install torch onnx onnxscript keras==3.15.1
    KERAS_BACKEND=torch keras-environment/bin/python tests/interchange/make_keras.py

Encoder and decoder of a convolutional VAE for images of 8 x 12, as written by `model.export(format="onnx")`, and the
outputs of Keras for some images and codes. Keras cannot export a layer that samples, so the encoder returns only the
mean and the log variance.
"""

import json
import math
from pathlib import Path

import keras
import numpy as np
from keras import layers

DATA = Path(__file__).parent / "data" / "keras"
SHAPE, LATENT = (8, 12, 1), 2


def wave(*shape: int) -> np.ndarray:
    """Numbers between -1 and 1, given by a formula."""
    return np.sin(0.37 * np.arange(math.prod(shape)) + 1).reshape(shape).astype("float32")


def networks() -> tuple[keras.Model, keras.Model]:
    """An encoder and a decoder with weights from a fixed seed."""
    keras.utils.set_random_seed(0)
    x = keras.Input(SHAPE)
    h = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
    h = layers.BatchNormalization()(h)
    h = layers.Conv2D(6, 3, padding="same", activation="gelu")(h)
    h = layers.Dense(8, activation="elu")(layers.Flatten()(h))
    encoder = keras.Model(x, [layers.Dense(LATENT, name="mean")(h), layers.Dense(LATENT, name="log_variance")(h)])
    z = keras.Input((LATENT,))
    h = layers.Dense(2 * 3 * 6, activation="swish")(z)
    h = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(layers.Reshape((2, 3, 6))(h))
    h = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.UpSampling2D()(h))
    return encoder, keras.Model(z, layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid")(h))


def main() -> None:
    encoder, decoder = networks()
    images, codes = wave(3, *SHAPE) * 0.5 + 0.5, wave(3, LATENT)
    mean, log_variance = encoder.predict(images, verbose=0)
    says = {
        "images": images, "codes": codes, "mean": mean, "log_variance": log_variance,
        "reconstruction": decoder.predict(codes, verbose=0),
    }  # fmt: skip
    DATA.mkdir(parents=True, exist_ok=True)
    encoder.export(DATA / "encoder.onnx", format="onnx", verbose=False)
    decoder.export(DATA / "decoder.onnx", format="onnx", verbose=False)
    (DATA / "says.json").write_text(json.dumps({name: value.tolist() for name, value in says.items()}))


if __name__ == "__main__":
    main()
