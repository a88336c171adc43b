"""DRAGAN on Fashion-MNIST with DCGAN's networks and the paper's settings.

This is an experiment of the zoo: one of the objectives that docs/scores.md compares on one backbone and one budget.

Paper      Kodali et al. 2017, https://arxiv.org/abs/1705.07215
Published  nothing on these data
Ours       Fréchet classifier distance 3.306, classifier score 4.78, precision 0.670, recall 0.299, density 0.545,
           coverage 0.299 (10,000 samples, rounded to 8 bits)
Command    zoo train dragan_fashion_mnist --precision=mixed_bfloat16
Time       578 s on 1 core of Intel(R) Xeon(R) Processor
"""

from zoo import DRAGAN, recipe


def main(
    run,
    *,
    data="fashion_mnist",
    steps=10_000,
    batch_size=64,
    checkpoint_every=1000,
    filters=32,  # half of those of dcgan_fashion_mnist
    ema_decay=0.999,
):
    dataset = run.data()
    with run.strategy.scope():
        model = DRAGAN(dataset.data_shape, filters=filters, ema_decay=ema_decay, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
