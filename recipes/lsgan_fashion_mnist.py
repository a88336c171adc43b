"""LSGAN on Fashion-MNIST with DCGAN's networks and optimisers.

This is an experiment of the zoo: one of the objectives that docs/scores.md compares on one backbone and one budget.

Paper      Mao et al. 2017, https://arxiv.org/abs/1611.04076; networks of Radford et al. 2015
Published  nothing on these data
Ours       Fréchet classifier distance 2.083, classifier score 5.41, precision 0.714, recall 0.492, density 0.608,
           coverage 0.433 (10,000 samples, rounded to 8 bits). Mean over the training seeds 0, 1, 2: Fréchet classifier
           distance 2.170 ± 0.087, classifier score 5.37 ± 0.043, precision 0.719 ± 0.0049, recall 0.491 ± 0.024
Command    zoo train lsgan_fashion_mnist --precision=mixed_bfloat16
Time       340 s on 1 core of Intel(R) Xeon(R) Processor
"""

from zoo import LSGAN, networks, optimizers, recipe


def main(
    run,
    *,
    data="fashion_mnist",
    steps=10_000,
    batch_size=64,
    checkpoint_every=1000,
    latent_size=100,
    filters=32,  # half of those of dcgan_fashion_mnist
    learning_rate=2e-4,  # the optimisers are those of dcgan_fashion_mnist; the paper's rate is five times as high
    ema_decay=0.999,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = LSGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.dcgan_generator(dataset.data_shape, latent_size, filters, seed),
            discriminator=networks.dcgan_discriminator(dataset.data_shape, filters, seed + 1),
            ema_decay=ema_decay,
            seed=seed,
        )
        model.compile(
            generator_optimizer=optimizers.adam(learning_rate, beta_1=0.5),
            discriminator_optimizer=optimizers.adam(learning_rate, beta_1=0.5),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
