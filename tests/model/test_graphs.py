"""Networks as lists of operations: they give what the modules gave, survive JSON, and refuse what is not theirs."""

import json
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from vae.errors import CheckpointError, ConfigError
from vae.model.capture import capture
from vae.model.graphs import MOST_VALUES, Graph

WEIGHTS = [torch.ones(3, 4), torch.zeros(3)]
LINEAR = ["addmm", [{"weight": 1}, {"node": 0}, {"node": 1}], {}]
TURNED = ["permute", [{"weight": 0}, [1, 0]], {}]


class Encoder(nn.Module):
    """As many write one: convolutions, normalisation, two heads, the batch taken from the shape."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 6, 4, 2, 1),
            nn.BatchNorm2d(6),
            nn.LeakyReLU(0.2),
            nn.Conv2d(6, 8, 3, 2, 1),
            nn.Dropout(),
            nn.ReLU(),
        )
        self.mean, self.log_variance = nn.Linear(8 * 9, 2), nn.Linear(8 * 9, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x.view(x.size(0), 1, 12, 12)).flatten(1)
        return self.mean(h), self.log_variance(h)


def layered(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(5, 32), nn.Unflatten(1, (8, 2, 2)), *layers, nn.Flatten())


NETWORKS: dict[str, tuple[nn.Module | Callable[[Tensor], Tensor], int]] = {
    "encoder": (Encoder(), 144),
    "transposed": (layered(nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.GroupNorm(2, 4), nn.GELU(), nn.Sigmoid()), 5),
    "upsampled": (layered(nn.Upsample(scale_factor=2), nn.Conv2d(8, 1, 3, 1, 1), nn.ELU(), nn.PixelShuffle(1)), 5),
    "bilinear": (layered(nn.Upsample(scale_factor=2, mode="bilinear"), nn.InstanceNorm2d(8), nn.Hardswish()), 5),
    "pooled": (layered(nn.MaxPool2d(2), nn.PReLU(), nn.AdaptiveAvgPool2d(1), nn.Softplus()), 5),
    "normalised": (nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), nn.SiLU(), nn.Softmax(-1)), 5),
    "mixed": (nn.Sequential(nn.Linear(5, 6), nn.Mish(), nn.LogSigmoid(), nn.CELU(), nn.ReLU6(), nn.GLU()), 5),
    "filled": (lambda x: torch.cat([x, torch.full((x.shape[0], 2), 0.5), torch.zeros_like(x)], 1), 5),
    "turned": (lambda x: x.view(-1, 1, 2, 3).permute(0, 2, 3, 1).flatten(1)[:, 1:], 6),
    "function": (lambda x: torch.cat([x.exp().clamp(max=3), (x * 2 - 1).pow(2).mean(1, keepdim=True)], 1), 5),
}


@pytest.fixture(autouse=True)
def learned() -> None:
    """Running averages that are not those of an untrained network."""
    for network, inputs in NETWORKS.values():
        if isinstance(network, nn.Module):
            network.train()(torch.rand(16, inputs))
            network.eval()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.slow
def test_a_graph_gives_what_the_network_gives(name: str) -> None:
    network, inputs = NETWORKS[name]
    graph = capture(network, torch.rand(2, inputs))
    graph = Graph(**json.loads(json.dumps(graph.to_dict())), weights=list(graph.weights))
    x = torch.rand(7, inputs, requires_grad=True)
    theirs = network(x) if isinstance(network(x), tuple) else (network(x),)
    ours = graph(x)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)
    slope = [torch.autograd.grad((outputs[0] ** 3).sum(), x, retain_graph=True)[0] for outputs in (ours, theirs)]
    torch.testing.assert_close(slope[0], slope[1], rtol=1e-4, atol=1e-5)
    assert graph.shapes(inputs)[0] == [tuple(each.shape[1:]) for each in theirs]


@pytest.mark.slow
def test_a_graph_works_for_one_row_and_where_it_is_mapped_over() -> None:
    network, inputs = NETWORKS["normalised"]
    graph, x = capture(network, torch.rand(2, inputs)), torch.rand(4, inputs)
    torch.testing.assert_close(graph(x[:1])[0], network(x)[:1])
    torch.testing.assert_close(torch.vmap(lambda row: graph(row[None])[0][0])(x), network(x))


def test_smooth_is_what_has_no_kinks() -> None:
    assert capture(NETWORKS["normalised"][0], torch.rand(2, 5)).smooth
    assert not capture(NETWORKS["encoder"][0], torch.rand(2, 144)).smooth


@pytest.mark.parametrize(
    ("network", "says"),
    [
        (lambda x: x + torch.randn_like(x), "draws random numbers"),
        (lambda x: x if x.sum() > 0 else -x, "whatever its input"),
        (lambda x: torch.linalg.svd(x)[1], "is not one of them"),
        (lambda x: x @ torch.ones(99), "could not be traced"),
        (lambda x: x + torch.zeros(len(x), 5), "x.shape[0] instead of len"),
    ],
)
def test_what_cannot_be_written_down_is_refused(network: Callable[[Tensor], Tensor], says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        capture(network, torch.rand(3, 5))


def test_a_graph_of_few_lines_is_a_linear_map() -> None:
    graph = Graph([TURNED, LINEAR], [{"node": 2}], WEIGHTS)
    assert graph(torch.ones(2, 4))[0].tolist() == [[4, 4, 4], [4, 4, 4]]
    assert graph.shapes(4) == ([(3,)], 4)


@pytest.mark.parametrize(
    ("nodes", "outputs"),
    [
        ([], []),
        ("nodes", [{"node": 0}]),
        ([["system", ["ls"], {}]], [{"node": 1}]),
        ([["relu", [{"node": 1}], {}]], [{"node": 1}]),  # itself
        ([["relu", [{"node": True}], {}]], [{"node": 1}]),
        ([["relu", [{"weight": 2}], {}]], [{"node": 1}]),
        ([["relu", [{"node": -1}], {}]], [{"node": 1}]),
        ([["relu", ["__class__"], {}]], [{"node": 1}]),
        ([["relu", [{"node": 0, "weight": 0}], {}]], [{"node": 1}]),
        ([["relu", {"node": 0}, {}]], [{"node": 1}]),
        ([["relu", [[[[[[1]]]]]], {}]], [{"node": 1}]),
        ([["relu", [2**70], {}]], [{"node": 1}]),
        ([["relu", [{"node": 0}], {}]], [{"node": 2}]),
    ],
)
def test_what_is_not_a_graph_is_refused(nodes: object, outputs: object) -> None:
    with pytest.raises(CheckpointError):
        Graph(nodes, outputs, WEIGHTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ([TURNED, LINEAR, ["mm", [{"node": 2}, {"node": 2}], {}]], "do not"),
        ([["repeat", [{"node": 0}, [1, MOST_VALUES]], {}]], "repeat gives more"),
        ([["permute", [{"node": 0}, [1, 0]], {}]], "one row for each row"),
        ([["sym_size.int", [{"node": 0}, 0], {}]], "one row for each row"),
        ([["view", [{"node": 0}, [3, 4]], {}]], "do not"),  # which is right for three images alone
        (
            [["sym_size.int", [{"node": 0}, 0], {}], ["expand", [{"weight": 1}, [{"node": 1}, {"node": 1}]], {}]],
            "do not",
        ),
        (
            [
                ["sym_size.int", [{"node": 0}, 0], {}],
                ["view", [{"weight": 1}, [1, 3]], {}],
                ["repeat", [{"node": 2}, [{"node": 1}, {"node": 1}]], {}],
            ],
            "must not depend on how many",
        ),
        ([["relu", [None], {}]], "do not"),
        ([["getitem", [{"node": 0}, 7], {}]], "do not"),
    ],
)
def test_operations_that_do_not_fit_are_refused_before_any_memory_is_taken(nodes: list, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        Graph(nodes, [{"node": len(nodes)}], WEIGHTS).shapes(4)
