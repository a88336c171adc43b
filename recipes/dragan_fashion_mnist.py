"""DRAGAN on Fashion-MNIST with DCGAN's networks and the paper's settings.

This is an experiment of the zoo: one of the ten objectives that docs/scores.md compares on one backbone and one budget.

Paper      Kodali et al. 2017, https://arxiv.org/abs/1705.07215
Published  nothing on these data
Ours       dragan-digits: Fréchet classifier distance 7.501, classifier score 5.61, precision 0.180, recall 0.715 (1,000
           samples, rounded to 8 bits). dragan-fashion_mnist: Fréchet classifier distance 7.913, classifier score 2.91,
           precision 0.626, recall 0.061 (10,000 samples, not rounded)
Command    zoo train dragan_fashion_mnist --precision=mixed_bfloat16
Time       dragan-digits: 89 s on 2 cores of AMD EPYC; dragan-fashion_mnist: 608 s on 1 core of AMD EPYC, whose other
           had other work
"""

from zoo import DRAGAN, recipe


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
        model = DRAGAN(dataset.data_shape, filters=filters, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
