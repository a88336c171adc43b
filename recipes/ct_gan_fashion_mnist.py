"""CT-GAN on Fashion-MNIST with DCGAN's networks; half of the critic's hidden units are dropped.

This is an experiment of the zoo: one of the objectives that docs/scores.md compares on one backbone and one budget.

Paper      Wei et al. 2018, https://openreview.net/forum?id=SJx9GQb0-
Published  nothing on these data
Ours       ct_gan-fashion_mnist: Fréchet classifier distance 3.274, classifier score 4.61, precision 0.667, recall
           0.435, density 0.510, coverage 0.282 (10,000 samples, rounded to 8 bits). ct_gan-fashion_mnist-5000: Fréchet
           classifier distance 5.934, classifier score 3.57, precision 0.668, recall 0.168, density 0.497, coverage
           0.145 (10,000 samples, rounded to 8 bits)
Command    zoo train ct_gan_fashion_mnist --precision=mixed_bfloat16 --steps=15000
           zoo train ct_gan_fashion_mnist --precision=mixed_bfloat16 --workdir runs/ct_gan_fashion_mnist-5000
Time       ct_gan-fashion_mnist: 5,413 s on 1 core of AMD EPYC; ct_gan-fashion_mnist-5000: 2,715 s on 1 core of Intel(R)
           Xeon(R) Processor
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
