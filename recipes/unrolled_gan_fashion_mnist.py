"""Unrolled GAN on Fashion-MNIST with DCGAN's networks and optimisers.

This is an experiment of the zoo, on the backbone and the budget of the objectives that docs/scores.md compares.

Paper      Metz et al. 2017, https://arxiv.org/abs/1611.02163; networks of Radford et al. 2015
Published  nothing on these data
Ours       not scored yet
Command    zoo train unrolled_gan_fashion_mnist --precision=mixed_bfloat16
Time       not measured yet
"""

from zoo import UnrolledGAN, networks, optimizers, recipe


def main(
    run,
    *,
    data="fashion_mnist",
    steps=10_000,
    batch_size=64,
    checkpoint_every=1000,
    latent_size=100,
    unrolled_steps=5,
    filters=32,  # half of those of dcgan_fashion_mnist, whose optimisers these are
    learning_rate=2e-4,
    ema_decay=0.999,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = UnrolledGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.dcgan_generator(dataset.data_shape, latent_size, filters, seed),
            discriminator=networks.dcgan_discriminator(dataset.data_shape, filters, seed + 1),
            unrolled_steps=unrolled_steps,
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
