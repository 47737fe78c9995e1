"""Curves of a finished training as files of TensorBoard, which comes by an extra."""

from __future__ import annotations

from pathlib import Path

from kinfolio.errors import NotReady
from kinfolio.run import Run


def write_curves(run: Run, folder: Path) -> None:
    """Write loss, recall and NDCG of each head by its steps.

    Args:
        run: trained.
        folder: what `tensorboard --logdir` is to be given; each run becomes a folder in it.

    Raises:
        NotReady: TensorBoard is not installed, or the run was not trained.
        RunBroken: its training was cut off.
    """
    histories = run.need_info()["history"]
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise NotReady(
            "TensorBoard is not installed; type: pip install 'kinfolio[tensorboard]'"
        ) from error
    for number, looks in enumerate(histories, 1):
        # Steps written a second time would stand beside the first ones.
        own = folder / run.folder.name / f"head {number}"
        for old in own.glob("events.out.tfevents.*"):
            old.unlink()
        with SummaryWriter(str(own)) as writer:
            for look in looks:
                for name in ("loss", "recall", "ndcg"):
                    if look[name] is not None:
                        writer.add_scalar(name, look[name], look["step"])
