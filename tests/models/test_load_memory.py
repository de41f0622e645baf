"""Loading takes little more main memory than the network that is made, whatever the file's number format."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from accelerate import init_empty_weights
from diffusers import WanTransformer3DModel

from checkpoints import official_transformer
from model_files import write_sparse
from model_sets import FIGURES

pytestmark = pytest.mark.slow

LAYERS = 20
LARGEST_SHARE = 1.3
"""Peak of the process's memory while it loads, against the network's size."""

MEASURE = """
import resource, sys
from pathlib import Path
import torch
from diffusers import WanTransformer3DModel
from wan_engine.models.load_component import Wanted, load_network
small, large = (Wanted("transformer", Path(path), sys.argv[3]) for path in sys.argv[1:3])
load_network(small)  # what the libraries load at first use is not the model's
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
network = load_network(large)
size = sum(tensor.numel() * tensor.element_size() for tensor in network.parameters())
peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(size, peak / size)
"""


def write_large(path: Path, layers: int) -> Path:
    """A transformer of official names with few, wide layers; all its weights are zero."""
    wide = {**FIGURES, "num_attention_heads": 8, "ffn_dim": 8192, "num_layers": layers}
    with init_empty_weights():
        state = WanTransformer3DModel(**wide).state_dict()
    return write_sparse(path, {name: tuple(each.shape) for name, each in official_transformer(state, layers).items()})


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux alone")
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_the_peak_is_little_above_the_network(dtype: str, tmp_path: Path) -> None:
    small, large = write_large(tmp_path / "small", 1), write_large(tmp_path / "large", LAYERS)
    command = [sys.executable, "-c", MEASURE, str(small), str(large), dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    size, share = done.stdout.split()
    assert int(size) > 1_000_000_000
    assert float(share) < LARGEST_SHARE, done.stdout
