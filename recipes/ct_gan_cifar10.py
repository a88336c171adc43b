"""CT-GAN on CIFAR-10, without labels, with the residual networks and the settings of the paper's code.

Paper      Wei et al. 2018, https://openreview.net/forum?id=SJx9GQb0-
Published  Inception Score 8.12 +/- 0.12, as remembered
Ours       not scored yet
Command    zoo train ct_gan_cifar10
Time       not measured yet; meant for a GPU

The model is trained on all 50,000 training images, as in the authors' code, `CT_gan_cifar_resnet.py` in
https://github.com/biuyq/CT-GAN, whose setting for labels is turned off here.

Differences: the generator's batch has 64 rows, as many as the critic's, whereas the authors' has 128; and the data are
not dequantised, whereas the code adds uniform noise of one grey level.
"""

from zoo import CTGAN, networks, optimizers, recipe

DROPOUT = (0.2, 0.5, 0.5)


def main(
    run,
    *,
    data="cifar10",
    steps=100_000,
    batch_size=64,
    checkpoint_every=1000,
    latent_size=128,
    learning_rate=2e-4,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = CTGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.residual_generator(dataset.data_shape, latent_size, seed=seed),
            discriminator=networks.residual_critic(dataset.data_shape, seed=seed + 1, dropout=DROPOUT),
            seed=seed,
        )
        updates = run.schedule_steps
        model.compile(
            generator_optimizer=optimizers.falling_adam(learning_rate, updates, beta_1=0.0, beta_2=0.9),
            discriminator_optimizer=optimizers.falling_adam(
                learning_rate, updates * model.discriminator_updates, beta_1=0.0, beta_2=0.9
            ),
            **run.compile_settings,
        )
    run.fit(model, dataset.train_and_validation)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
