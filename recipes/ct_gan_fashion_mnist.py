"""CT-GAN on Fashion-MNIST with DCGAN's networks; half of the critic's hidden units are dropped.

This is an experiment of the zoo: one of the objectives that docs/scores.md compares on one backbone and one budget.

Paper      Wei et al. 2018, https://openreview.net/forum?id=SJx9GQb0-
Published  nothing on these data
Ours       ct_gan-digits: Fréchet classifier distance 8.254, classifier score 5.13, precision 0.166, recall 0.700,
           density 0.095, coverage 0.140 (1,000 samples, rounded to 8 bits). ct_gan-fashion_mnist: Fréchet classifier
           distance 6.376, classifier score 3.43, precision 0.642, recall 0.178 (10,000 samples, not rounded)
Command    zoo train ct_gan_fashion_mnist --precision=mixed_bfloat16
Time       ct_gan-digits: 236 s on 1 core of Intel(R) Xeon(R) Processor; ct_gan-fashion_mnist: 3,516 s on 1 core of AMD
           EPYC, whose other had other work
"""

from zoo import CTGAN, recipe


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
        model = CTGAN(dataset.data_shape, filters=filters, ema_decay=ema_decay, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
