"""Networks of the papers, most of them shared, as functional Keras models whose first weights follow from `seed`."""

from zoo.networks.checked import checked, checked_list, warn_of_batch_normalization
from zoo.networks.convolutional import (
    alternating_discriminator,
    alternating_generator,
    conditional_dcgan,
    dcgan_discriminator,
    dcgan_generator,
    dcgan_stages,
)
from zoo.networks.copied import copied
from zoo.networks.enlarging import residual_enlarger
from zoo.networks.nine_layers import nine_layer_discriminator, shifting_generator
from zoo.networks.pairs import dcgan_discriminator_of_pairs, dcgan_encoder, discriminator_of_pairs, encoder_of, joined
from zoo.networks.parts import batch_normalization, normal
from zoo.networks.perceptrons import maxout_mlp, mlp, mlp_generator, normalized_mlp, relu_mlp
from zoo.networks.residual import residual_critic, residual_generator, tapered_critic, tapered_generator
from zoo.networks.wrapped import (
    rescaled,
    spectrally_normalized,
    virtually_normalized,
    weight_normalized,
    with_features,
    with_minibatch_discrimination,
)

__all__ = [
    "alternating_discriminator",
    "alternating_generator",
    "batch_normalization",
    "checked",
    "checked_list",
    "conditional_dcgan",
    "copied",
    "dcgan_discriminator",
    "dcgan_discriminator_of_pairs",
    "dcgan_encoder",
    "dcgan_generator",
    "dcgan_stages",
    "discriminator_of_pairs",
    "encoder_of",
    "joined",
    "maxout_mlp",
    "mlp",
    "mlp_generator",
    "nine_layer_discriminator",
    "normal",
    "normalized_mlp",
    "relu_mlp",
    "rescaled",
    "residual_critic",
    "residual_enlarger",
    "residual_generator",
    "shifting_generator",
    "spectrally_normalized",
    "tapered_critic",
    "tapered_generator",
    "virtually_normalized",
    "warn_of_batch_normalization",
    "weight_normalized",
    "with_features",
    "with_minibatch_discrimination",
]
