"""Writes inception_reference.json: the outputs of torch-fidelity's Inception for fixed images and fixed random weights.

python -m venv references && references/bin/pip install torch torch-fidelity
references/bin/python tests/features/inception_reference.py
"""

import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

FILE = Path(__file__).with_suffix(".json")
PACKAGES = ("torch-fidelity", "torch", "numpy")
SHOWN = slice(None, None, 126)  # of 2,048 features and of 1,008 classes


class Layer(NamedTuple):
    """A node of the graph of 2015-12-05: a convolution with its normalisation and ReLU, a pool or a concatenation."""

    node: str
    inputs: tuple[str, ...]
    kind: str  # "Conv2D", "MaxPool", "AvgPool" or "Concat"
    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    padding: str = "SAME"
    channels: int | None = None  # of a convolution's result
    module: str | None = None  # a convolution's name in torch-fidelity


# A tower is given by its layers: "5x5:64" is a convolution to 64 channels, "max" and "avg" are 3 x 3 pools, and
# "fork:384" is a 1 x 3 beside a 3 x 1 convolution. Padding keeps the size, unless a stride follows: "/1" or "/2".
STEM = "3x3:32/2 3x3:32/1 3x3:64 max/2 1x1:80 3x3:192/1 max/2"
STEM_MODULES = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3")


def blocks():
    """The node and module of each block with its towers, and of each tower its node, module and layers."""

    def with_5x5(pooled):
        return (
            ("", "branch1x1", "1x1:64"),
            ("tower/", "branch5x5_", "1x1:48 5x5:64"),
            ("tower_1/", "branch3x3dbl_", "1x1:64 3x3:96 3x3:96"),
            ("tower_2/", "branch_pool", f"avg 1x1:{pooled}"),
        )

    def with_7x7(inner):
        return (
            ("", "branch1x1", "1x1:192"),
            ("tower/", "branch7x7_", f"1x1:{inner} 1x7:{inner} 7x1:192"),
            ("tower_1/", "branch7x7dbl_", f"1x1:{inner} 7x1:{inner} 1x7:{inner} 7x1:{inner} 1x7:192"),
            ("tower_2/", "branch_pool", "avg 1x1:192"),
        )

    def with_forks(pool):
        return (
            ("", "branch1x1", "1x1:320"),
            ("tower/", "branch3x3_", "1x1:384 fork:384"),
            ("tower_1/", "branch3x3dbl_", "1x1:448 3x3:384 fork:384"),
            ("tower_2/", "branch_pool", f"{pool} 1x1:192"),
        )

    to_17x17 = (
        ("", "branch3x3", "3x3:384/2"),
        ("tower/", "branch3x3dbl_", "1x1:64 3x3:96 3x3:96/2"),
        ("", "", "max/2"),
    )
    to_8x8 = (
        ("tower/", "branch3x3_", "1x1:192 3x3:320/2"),
        ("tower_1/", "branch7x7x3_", "1x1:192 1x7:192 7x1:192 3x3:192/2"),
        ("", "", "max/2"),
    )
    return (
        ("mixed/", "Mixed_5b.", with_5x5(32)),
        ("mixed_1/", "Mixed_5c.", with_5x5(64)),
        ("mixed_2/", "Mixed_5d.", with_5x5(64)),
        ("mixed_3/", "Mixed_6a.", to_17x17),
        ("mixed_4/", "Mixed_6b.", with_7x7(128)),
        ("mixed_5/", "Mixed_6c.", with_7x7(160)),
        ("mixed_6/", "Mixed_6d.", with_7x7(160)),
        ("mixed_7/", "Mixed_6e.", with_7x7(192)),
        ("mixed_8/", "Mixed_7a.", to_8x8),
        ("mixed_9/", "Mixed_7b.", with_forks("avg")),
        ("mixed_10/", "Mixed_7c.", with_forks("max")),  # only the last block pools by the maximum
    )


def layers():
    """Every layer between "Mul", the scaled images, and "pool_3", in an order in which each follows its inputs."""
    found = tower("Mul", "", STEM, STEM_MODULES)
    for block, block_module, towers in blocks():
        source, ends = found[-1].node, []
        for name, module, text in towers:
            modules = [block_module + module + (str(n) if module.endswith("_") else "") for n in range(1, 6)]
            found += tower(source, block + name, text, modules)
            ends.append(found[-1].node)
        found.append(Layer(f"{block}join", tuple(ends), "Concat"))
    return [*found, Layer("pool_3", (found[-1].node,), "AvgPool", (8, 8), padding="VALID")]


def tower(source, prefix, text, modules):
    """The layers that `text` describes, one after another: conv, conv_1, ... and pool, pool_1, ..."""
    found, modules = [], iter(modules)
    convolutions = pools = 0
    for word in text.split():
        kind, _, stride = word.partition("/")
        kernel, _, channels = kind.partition(":")
        shape = {"stride": int(stride), "padding": "VALID"} if stride else {}
        if kernel == "fork":
            module, node = next(modules), f"{prefix}mixed"
            found += [
                Layer(f"{node}/conv", (source,), "Conv2D", (1, 3), channels=int(channels), module=f"{module}a"),
                Layer(f"{node}/conv_1", (source,), "Conv2D", (3, 1), channels=int(channels), module=f"{module}b"),
                Layer(node, (f"{node}/conv", f"{node}/conv_1"), "Concat"),
            ]
        elif kernel in ("max", "avg"):
            node = f"{prefix}pool" + (f"_{pools}" if pools else "")
            found.append(Layer(node, (source,), {"max": "MaxPool", "avg": "AvgPool"}[kernel], **shape))
            pools += 1
        else:
            node = f"{prefix}conv" + (f"_{convolutions}" if convolutions else "")
            size = tuple(map(int, kernel.split("x")))
            found.append(Layer(node, (source,), "Conv2D", size, channels=int(channels), module=next(modules), **shape))
            convolutions += 1
        source = found[-1].node
    return found


def weights():
    """Random float32 constants of the graph, by their names in it; all activations stay of order 1."""
    draws = np.random.RandomState(0)

    def normal(*shape, mean=0.0, scale=1.0):
        return (mean + scale * draws.standard_normal(shape)).astype(np.float32)

    found, channels = {}, {"Mul": 3}
    for layer in layers():
        inputs = sum(channels[node] for node in layer.inputs)
        channels[layer.node] = layer.channels or inputs
        if layer.kind == "Conv2D":
            fan_in = inputs * layer.kernel[0] * layer.kernel[1]
            found |= {
                f"{layer.node}/conv2d_params": normal(*layer.kernel, inputs, layer.channels, scale=(2 / fan_in) ** 0.5),
                f"{layer.node}/batchnorm/beta": normal(layer.channels, scale=0.1),
                f"{layer.node}/batchnorm/gamma": normal(layer.channels, mean=1, scale=0.1),
                f"{layer.node}/batchnorm/moving_mean": normal(layer.channels, scale=0.1),
                f"{layer.node}/batchnorm/moving_variance": normal(layer.channels, scale=0.1) ** 2 + 1,
            }
    return found | {
        "softmax/weights": normal(channels["pool_3"], 1008, scale=channels["pool_3"] ** -0.5),
        "softmax/biases": normal(1008),
    }


def images():
    """uint8 `[2, 40, 56, 3]`: noise, and a gradient."""
    noise = np.random.RandomState(1).randint(256, size=(40, 56, 3))
    rows, columns, channels = np.indices(noise.shape)
    return np.stack([noise, (3 * rows + 2 * columns + 40 * channels) % 256]).astype(np.uint8)


def state_dict():
    """The weights with the names and the order that they have in torch-fidelity."""
    import torch

    constants = {name: torch.from_numpy(array) for name, array in weights().items()}
    state = {"fc.weight": constants["softmax/weights"].T, "fc.bias": constants["softmax/biases"]}
    for layer in layers():
        if layer.kind == "Conv2D":
            state[f"{layer.module}.conv.weight"] = constants[f"{layer.node}/conv2d_params"].permute(3, 2, 0, 1)
            for ours, theirs in (
                ("gamma", "weight"),
                ("beta", "bias"),
                ("moving_mean", "running_mean"),
                ("moving_variance", "running_var"),
            ):
                state[f"{layer.module}.bn.{theirs}"] = constants[f"{layer.node}/batchnorm/{ours}"]
            state[f"{layer.module}.bn.num_batches_tracked"] = torch.tensor(0)
    return state


def main():
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save(state_dict(), file.name)
        network = FeatureExtractorInceptionV3(
            "inception", ["2048", "logits_unbiased"], feature_extractor_weights_path=file.name
        )
    features, logits = network(torch.from_numpy(images()).permute(0, 3, 1, 2))
    references = {
        "versions": {package: version(package) for package in PACKAGES},
        "features": features[:, SHOWN].tolist(),
        "probabilities": logits.softmax(dim=1)[:, SHOWN].tolist(),
    }
    FILE.write_text(json.dumps(references, indent=2) + "\n")


if __name__ == "__main__":
    main()
