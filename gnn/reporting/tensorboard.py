"""Training curves as TensorBoard files; needs the extra `tensorboard`."""

from __future__ import annotations

from pathlib import Path

from kinfolio.errors import NotReady
from kinfolio.os_errors import optional_file
from kinfolio.run import Run
from kinfolio.storage.run_info import CURVES


def write_curves(run: Run, folder: Path) -> None:
    """Write loss, recall and NDCG of each head by step into a folder named after the run.

    Warns where that is not possible.

    Raises:
        NotReady: TensorBoard is not installed, or the run was not trained.
        RunBroken: its training was interrupted.
    """
    histories = run.need_info()["history"]
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise NotReady(
            "TensorBoard is not installed; type: pip install 'kinfolio[tensorboard]'"
        ) from error
    with optional_file(folder, cure="give another --tensorboard"):
        for number, evaluations in enumerate(histories, 1):
            # TensorBoard would show the curves of an earlier call too.
            own = folder / run.folder.name / f"head {number}"
            for old in own.glob("events.out.tfevents.*"):
                old.unlink()
            with SummaryWriter(str(own)) as writer:
                for one in evaluations:
                    for name in CURVES:
                        if one[name] is not None:
                            writer.add_scalar(name, one[name], one["step"])
