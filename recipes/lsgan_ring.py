"""LSGAN on a ring of eight Gaussians: the stability test of the paper, whose figure shows which modes are covered.

Paper      Mao et al. 2017, https://arxiv.org/abs/1611.04076
Published  no number; settings from `stability_comparison/mixture_gaussian/ls.py`, https://github.com/xudonmao/LSGAN
Ours       modes 8, reverse KL (nats) 0.269, high-quality share 0.029 (10,000 samples)
Command    zoo train lsgan_ring
Time       184 s on 1 core of Intel(R) Xeon(R) Processor

The ring in the code has half the size of this one; the networks here see the data divided by `scale`. The code's nine
modes lie at eight places: the first and the last coincide, so that one mode is drawn twice as often as any other. Its
latents are normal; here they are uniform, with the same variance. Both its players move at the same time.
"""

import math

from zoo import LSGAN, metrics, networks, optimizers, recipe
from zoo.data import mixtures

SAMPLES = 10_000
GAINS = 0.8, 1.4  # the factor of the first, orthogonal kernels: of `networks.mlp`, and in the code


def perceptron(input_size, output_size, seed, name):
    network = networks.mlp(input_size, output_size, activation="tanh", seed=seed, name=name)
    for weight in network.trainable_weights:
        weight.assign(weight * (GAINS[1] / GAINS[0]))
    return network


def main(
    run,
    *,
    data="ring",
    steps=35_000,
    batch_size=512,
    checkpoint_every=1000,
    latent_size=256,
    scale=2.0,  # of the data, as the ring's radius is 1 in the code
):
    dataset, seed = run.data(), run.flags.seed
    mixture = mixtures.named(dataset.name)
    size = dataset.data_shape[0]
    with run.strategy.scope():
        model = LSGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.rescaled(perceptron(latent_size, size, seed, "generator"), math.sqrt(3), scale),
            discriminator=networks.rescaled(perceptron(size, 1, seed + 1, "discriminator"), 1 / scale, 1.0),
            seed=seed,
        )
        model.compile(
            generator_optimizer=optimizers.adam(1e-3, beta_1=0.5),
            discriminator_optimizer=optimizers.adam(1e-4, beta_1=0.5),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    covered = metrics.mode_coverage(model.sample(SAMPLES), mixtures.centers(mixture), mixtures.sigma(mixture))
    print(f"{covered['modes']} modes; {covered['high_quality']:.1%} of {SAMPLES} samples lie within 3 sigma of one")
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
