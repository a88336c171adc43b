"""LS-GAN on Fashion-MNIST with DCGAN's networks, which are the paper's.

This is an experiment of the zoo: one of the ten objectives that docs/scores.md compares on one backbone and one budget.

Paper      Qi 2017, https://arxiv.org/abs/1701.06264
Published  nothing on these data
Ours       loss_sensitive_gan-digits: Fréchet classifier distance 5.676, classifier score 6.26, precision 0.263, recall
           0.800 (1,000 samples, rounded to 8 bits). loss_sensitive_gan-fashion_mnist: Fréchet classifier distance
           5.598, classifier score 3.81, precision 0.646, recall 0.178 (10,000 samples, not rounded)
Command    zoo train loss_sensitive_gan_fashion_mnist --precision=mixed_bfloat16
Time       loss_sensitive_gan-digits: 103 s on 2 cores of AMD EPYC; loss_sensitive_gan-fashion_mnist: 491 s on 1 core of
           AMD EPYC, whose other had other work
"""

import math

from zoo import LossSensitiveGAN, recipe

MARGIN_WEIGHT = 2e-4 * 64 * 64 * 3  # for a mean distance; the code's 2e-4 is for a sum over 64x64x3 values


def main(
    run,
    *,
    data="fashion_mnist",
    steps=3000,
    batch_size=64,
    checkpoint_every=300,
    filters=64,  # as in dcgan_fashion_mnist
):
    dataset = run.data()
    with run.strategy.scope():
        margin_weight = MARGIN_WEIGHT / math.prod(dataset.data_shape)
        model = LossSensitiveGAN(dataset.data_shape, filters=filters, margin_weight=margin_weight, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
