"""One training, or one evaluation, shared by several processes.

The wing depends on `vae.model`, `vae.data`, `vae.evidence` and `vae.training`.

    processes   Trainer that shares each batch with other processes, and their communication
    evaluation  an evaluation on several ranks, each with its share of the images
"""

from vae.distributed.evaluation import evaluate_share, refuse_alone
from vae.distributed.processes import SharedTrainer, dismiss, follow, group, rank, ranks, total, trainer

__all__ = [
    "SharedTrainer",
    "dismiss",
    "evaluate_share",
    "follow",
    "group",
    "rank",
    "ranks",
    "refuse_alone",
    "total",
    "trainer",
]
