"""DRAGAN on Fashion-MNIST with DCGAN's networks and the paper's settings.

An experiment of the zoo's: one of the ten objectives that README.md compares on one backbone and one budget.

Paper      Kodali et al. 2017, https://arxiv.org/abs/1705.07215
Published  nothing on these data
Ours       Fréchet classifier distance 7.913, classifier score 2.91, precision 0.626, recall 0.061 (10,000 samples, not
           rounded)
Command    zoo train dragan_fashion_mnist --precision=mixed_bfloat16
Time       608 s on 1 core of AMD EPYC, whose other had other work
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
