"""Networks of other programs: read from their files, which are only data, and written for other programs.

The wing depends on `vae.model`, `vae.data` and `vae.latent`. A reader returns a `Found`: encoder and decoder as graphs,
and the kind of their outputs; `bring` makes a VAE of it.

    found        Found: an encoder and a decoder that match each other, checked
    layouts      the orders in which programs store the pixels of images
    protobuf     the contents of an ONNX file, as Python types
    calls        a call of an ONNX operator
    elementwise  elementwise operators, and matrix products
    shaping      operators that move or reduce numbers, or compute sizes
    windows      convolutions, pooling, normalisation, resizing
    onnx         an ONNX file as a graph
    pairs        the ONNX files of an encoder and a decoder as a VAE
    sidefiles    an ONNX file whose weights are in a separate file
    weights      the tensors of a PyTorch state dict, from .safetensors or .pt
    layers       PyTorch layers, built from a state dict and the entries of a description
    descriptions a state dict with a description of its layers as a VAE
    templates    example descriptions to start from
    arrivals     uploaded files that belong together, inspected before anything is stored
    pythae       a model folder of pythae as a VAE
    export       a model of this library as ONNX files, on disk or as one archive
    bring        a VAE made of networks and of what their owner says about pixels and likelihood
    judges       a classifier, to be probed through a model
    own_images   images and labels from a script, as a data set
    inspection   inspect: a VAE from a script or a notebook, stored as a model
"""

from vae.interchange.arrivals import Arrival, arrive
from vae.interchange.bring import Pixels, bring, keep
from vae.interchange.descriptions import named_data, parsed_description, read_layers
from vae.interchange.export import onnx_archive, write_onnx
from vae.interchange.found import GIVES, Found, Gives
from vae.interchange.inspection import inspect
from vae.interchange.judges import OwnClassifier, read_classifier
from vae.interchange.onnx import read_network
from vae.interchange.pairs import read_onnx
from vae.interchange.pythae import read_pythae
from vae.interchange.sidefiles import read_onnx_file
from vae.interchange.templates import TEMPLATES, as_json
from vae.interchange.weights import read_file, read_weights

__all__ = [
    "GIVES",
    "TEMPLATES",
    "Arrival",
    "Found",
    "Gives",
    "OwnClassifier",
    "Pixels",
    "arrive",
    "as_json",
    "bring",
    "inspect",
    "keep",
    "named_data",
    "onnx_archive",
    "parsed_description",
    "read_classifier",
    "read_file",
    "read_layers",
    "read_network",
    "read_onnx",
    "read_onnx_file",
    "read_pythae",
    "read_weights",
    "write_onnx",
]
