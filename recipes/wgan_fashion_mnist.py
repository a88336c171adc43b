"""WGAN on Fashion-MNIST with DCGAN's networks and the paper's settings.

This is an experiment of the zoo: one of the objectives that docs/scores.md compares on one backbone and one budget.

Paper      Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875
Published  nothing on these data
Ours       wgan-fashion_mnist: Fréchet classifier distance 3.826, classifier score 4.43, precision 0.660, recall 0.365,
           density 0.511, coverage 0.253 (10,000 samples, rounded to 8 bits). wgan-fashion_mnist-5000: Fréchet
           classifier distance 7.690, classifier score 2.81, precision 0.591, recall 0.101, density 0.421, coverage
           0.108 (10,000 samples, rounded to 8 bits). Mean over the training seeds 0, 1, 2: Fréchet classifier distance
           7.703 ± 0.24, classifier score 2.82 ± 0.066, precision 0.597 ± 0.0056, recall 0.112 ± 0.039
Command    zoo train wgan_fashion_mnist --precision=mixed_bfloat16 --steps=15000
           zoo train wgan_fashion_mnist --precision=mixed_bfloat16 --workdir runs/wgan_fashion_mnist-5000
Time       wgan-fashion_mnist: 4,291 s on 1 core of AMD EPYC; wgan-fashion_mnist-5000: 834 s on 1 core of Intel(R)
           Xeon(R) Processor

Does the critic's estimate follow the quality of the samples? With `--score_every 150`, the run ends by printing the
rank correlation between the estimate, as a mean over ten steps, and the distance of the samples after these steps;
estimate.png shows both.
"""

import json

import numpy as np
from scipy import stats

from zoo import WGAN, images, recipe


def compare(workdir):
    """Prints how similarly the critic's estimate and the distance rank the scored steps, and draws both."""
    scores, metrics = (
        [json.loads(line) for line in (workdir / name).read_text(encoding="utf-8").splitlines()]
        for name in ("scores.jsonl", "metrics.jsonl")
    )
    steps = [row["step"] for row in scores]
    estimates = [row["wasserstein_estimate"] for row in metrics]
    curves = {
        "critic's estimate": np.interp(steps, [row["step"] for row in metrics], estimates),
        "Fréchet classifier distance": np.array([row["frechet_distance"] for row in scores]),
    }
    correlation = stats.spearmanr(*curves.values()).statistic
    print(f"rank correlation of {' and '.join(curves)} at {len(steps)} steps: {correlation:.3f}")
    shares = {f"{name}, as a share of its maximum": values / values.max() for name, values in curves.items()}
    images.write_png(workdir / "estimate.png", images.lines(steps, shares, "step"))


def main(
    run,
    *,
    data="fashion_mnist",
    steps=5000,  # five updates of the critic each
    batch_size=64,
    checkpoint_every=500,
    filters=32,  # half of those of dcgan_fashion_mnist
    ema_decay=0.995,  # over as many updates of the critic as 0.999 in the other recipes
):
    dataset = run.data()
    with run.strategy.scope():
        model = WGAN(dataset.data_shape, filters=filters, ema_decay=ema_decay, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    if run.flags.score_every and run.is_chief:
        compare(run.workdir)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
