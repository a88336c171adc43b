"""Improved GAN on CIFAR-10, without labels: the networks of the authors' code, with a setting for each technique.

Paper      Salimans et al. 2016, https://arxiv.org/abs/1606.03498
Published  Inception Score 4.36 +/- 0.04 without labels and with all techniques but historical averaging; 6.86 +/- 0.06
           with it. With labels, as in `semi_supervised_svhn --data cifar10`, 8.09 +/- 0.07
Ours       not scored yet
Command    zoo train improved_gan_cifar10
Time       not measured yet; meant for a GPU

The model is trained on all 50,000 training images. The code has no experiment without labels. This one is its CIFAR-10
experiment with minibatch discrimination, with one logit instead of ten and with the normalisation and the targets that
the paper describes. `--reference_rows 0` normalises the generator by its own batches; `--minibatch_kernels 0` turns
minibatch discrimination off and starts with dropout in place of noise.
"""

import keras

from zoo import ImprovedGAN, networks, recipe
from zoo.optimizers import HeldThenFalling, InnerEpsilonAdam

INITIALISING = 500  # images that initialise the weight normalisation


def main(
    run,
    *,
    data="cifar10",
    steps=1200 * 500,
    batch_size=100,
    checkpoint_every=500,
    latent_size=100,
    minibatch_kernels=100,
    reference_rows=100,
    feature_matching=False,
    real_target=0.9,
    historical_weight=0.0,
    learning_rate=3e-4,
):
    dataset, seed = run.data(), run.flags.seed
    everything = dataset.train_and_validation
    with run.strategy.scope():
        generator = networks.shifting_generator(dataset.data_shape, latent_size, seed=seed)
        if reference_rows:
            latents = keras.initializers.RandomUniform(0, 1, seed=seed)
            generator = networks.virtually_normalized(generator, reference_rows, latents, seed + 2)
        model = ImprovedGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=generator,
            discriminator=networks.nine_layer_discriminator(
                dataset.data_shape, 1, minibatch_kernels=minibatch_kernels, seed=seed + 1
            ),
            minibatch_kernels=minibatch_kernels,
            reference_rows=reference_rows,
            feature_matching=feature_matching,
            real_target=real_target,
            historical_weight=historical_weight,
            seed=seed,
        )
        model.initialize_from(everything.images[:INITIALISING])
        rate = HeldThenFalling(learning_rate, run.schedule_steps)
        model.compile(
            **{f"{player}_optimizer": InnerEpsilonAdam(rate, beta_1=0.5) for player in model.players},
            **run.compile_settings,
        )
    run.fit(model, everything)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
