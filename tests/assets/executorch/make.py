"""Write the files in this folder with ExecuTorch 1.5 (not needed to run the tests)."""

from pathlib import Path

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge, to_edge_transform_and_lower

HERE = Path(__file__).parent


class Linear(torch.nn.Module):
    """An ordinary model: one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer."""
        return torch.relu(self.layer(x))


def main() -> None:
    """Write all files."""
    exported = torch.export.export(Linear().eval(), (torch.zeros(1, 4),))
    (HERE / "linear.pte").write_bytes(to_edge(exported).to_executorch().buffer)
    lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch()
    (HERE / "delegated.pte").write_bytes(lowered.buffer)


if __name__ == "__main__":
    main()
