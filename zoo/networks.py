"""Backbones that several papers share, as functional Keras models whose first weights follow from `seed`."""

from __future__ import annotations

import math
import warnings

import keras

from zoo.errors import InputError
from zoo.layers import BatchNormalization, Dropout, SpectralNormalization

layers = keras.layers

EMBEDDING = 256  # units that a condition is mapped to, linearly, before it joins anything


def mlp(input_size, output_size, units=128, depth=2, activation="relu", seed=0, name=None):
    """A perceptron: `depth` hidden layers of `units`, then a linear layer.

    Returns:
        A `keras.Model` from `(batch, input_size)` to float32 `(batch, output_size)`.
    """
    initializer = keras.initializers.Orthogonal(gain=0.8, seed=keras.random.SeedGenerator(seed))
    inputs = x = keras.Input((input_size,))
    for _ in range(depth):
        x = layers.Dense(units, activation=activation, kernel_initializer=initializer)(x)
    outputs = layers.Dense(output_size, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, outputs, name=name)


def normalized_mlp(input_size, output_size, units, depth, seed=0, name=None):
    """A perceptron with batch normalisation: `depth` hidden layers of `units` rectified units, then a linear layer.

    Returns:
        A `keras.Model` from `(batch, input_size)` to float32 `(batch, output_size)`.
    """
    initializer = _normal(seed)
    inputs = x = keras.Input((input_size,))
    for _ in range(depth):
        x = layers.Dense(units, use_bias=False, kernel_initializer=initializer)(x)
        x = layers.ReLU()(_batch_normalization()(x))
    outputs = layers.Dense(output_size, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, outputs, name=name)


def mlp_generator(data_shape, latent_size, units, depth, activation, seed=0):
    """`normalized_mlp` as a generator of data.

    Args:
        data_shape: `(height, width, channels)` of an image or `(size,)` of a vector.
        latent_size: length of the latent vector.
        units: width of the hidden layers.
        depth: how many hidden layers there are.
        activation: of the pixels of an image; vectors are linear.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)`.
    """
    network = normalized_mlp(latent_size, math.prod(data_shape), units, depth, seed)
    x = layers.Activation(activation, dtype="float32")(network.output) if len(data_shape) == 3 else network.output
    return keras.Model(network.input, layers.Reshape(data_shape, dtype="float32")(x), name="generator")


def dcgan_generator(data_shape, latent_size, filters, seed=0, num_classes=None):
    """DCGAN's generator: a projection to a small map, then 5x5 transposed convolutions that double it.

    A one-hot label is joined to the latents alone; Radford's conditional code for MNIST,
    https://github.com/Newmu/dcgan_code, joins it to the input of every layer.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of the last hidden map; each smaller map has twice the channels of the next.
        num_classes: length of a one-hot label, a second input; `None` for none.

    Returns:
        A `keras.Model` from `(batch, latent_size)`, and `(batch, num_classes)` where there are labels, to float32
        `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    stages = dcgan_stages(data_shape)
    height, width, channels = data_shape
    initializer = _normal(seed)
    inputs = x = keras.Input((latent_size,))
    if num_classes:
        inputs = [x, keras.Input((num_classes,))]
        x = layers.Concatenate()(inputs)
    x = layers.Dense(
        (height >> stages) * (width >> stages) * (filters << (stages - 1)),
        use_bias=False,
        kernel_initializer=initializer,
    )(x)
    x = layers.Reshape((height >> stages, width >> stages, filters << (stages - 1)))(x)
    x = layers.ReLU()(_batch_normalization()(x))
    for stage in reversed(range(stages - 1)):
        x = layers.Conv2DTranspose(
            filters << stage, 5, strides=2, padding="same", use_bias=False, kernel_initializer=initializer
        )(x)
        x = layers.ReLU()(_batch_normalization()(x))
    x = layers.Conv2DTranspose(channels, 5, strides=2, padding="same", kernel_initializer=initializer)(x)
    outputs = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="generator")


def dcgan_discriminator(data_shape, filters, seed=0, num_classes=None, normalized=True):
    """DCGAN's discriminator: 5x5 convolutions that halve the map and double its channels, then one logit.

    A one-hot label is joined to the image alone, a constant plane a class; see `dcgan_generator`.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        filters: channels of the first map.
        num_classes: length of a one-hot label, a second input; `None` for none.
        normalized: whether there is batch normalisation; if not, every convolution has biases.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` in [-1, 1], and `(batch, num_classes)` where there are labels, to
        float32 logits `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    initializer = _normal(seed)
    stages = dcgan_stages(data_shape)
    inputs = x = keras.Input(data_shape)
    if num_classes:
        height, width, _ = data_shape
        inputs = [x, keras.Input((num_classes,))]
        planes = layers.Reshape((height, width, num_classes))(layers.RepeatVector(height * width)(inputs[1]))
        x = layers.Concatenate()([x, planes])
    for stage in range(stages):
        normalizes = normalized and stage > 0  # Sec. 3: no batch normalisation on the discriminator's input layer
        x = layers.Conv2D(
            filters << stage, 5, strides=2, padding="same", use_bias=not normalizes, kernel_initializer=initializer
        )(x)
        if normalizes:
            x = _batch_normalization()(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    outputs = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, outputs, name="discriminator")


def alternating_generator(data_shape, latent_size, filters, seed=0):
    """The generator of DCGAN's 32x32 ImageNet model: 3x3 transposed convolutions with strides of 2 and 1 by turns.

    https://github.com/Newmu/dcgan_code, `imagenet/load_pretrained.py`, has the layers (7 for 32x32 images), the strides
    and the first map, 4x4x512 of 128 filters; the other maps mirror those of `alternating_discriminator`.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of the last two hidden maps; each two before have twice the channels of the next.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    stages = dcgan_stages(data_shape)
    height, width, channels = data_shape
    initializer = _normal(seed)
    shape = (height >> stages, width >> stages, filters << (stages - 1))
    inputs = keras.Input((latent_size,))
    x = layers.Dense(math.prod(shape), use_bias=False, kernel_initializer=initializer)(inputs)
    x = layers.Reshape(shape)(x)
    for layer in reversed(range(2 * stages)):  # each undoes the discriminator's layer of that number
        x = layers.ReLU()(_batch_normalization()(x))
        x = layers.Conv2DTranspose(
            filters << (layer - 1) // 2 if layer else channels,
            3,
            strides=1 + layer % 2,
            padding="same",
            use_bias=False,
            kernel_initializer=initializer,
        )(x)
    outputs = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="generator")


def alternating_discriminator(data_shape, filters, seed=0):
    """The discriminator of DCGAN's 32x32 ImageNet model: 3x3 convolutions with strides of 1 and 2 by turns, one logit.

    https://github.com/Newmu/dcgan_code, `imagenet/load_pretrained.py`, has the layers (7 for 32x32 images) and the
    strides; the channels follow DCGAN's rule. The last map is rectified, not leaky: the features of Warde-Farley &
    Bengio (2017).

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        filters: channels of the first two maps; each two after have twice the channels of the two before.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` in [-1, 1] to float32 logits `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    initializer = _normal(seed)
    stages = dcgan_stages(data_shape)
    inputs = x = keras.Input(data_shape)
    for layer in range(2 * stages):
        x = layers.Conv2D(
            filters << layer // 2,
            3,
            strides=1 + layer % 2,
            padding="same",
            use_bias=False,
            kernel_initializer=initializer,
        )(x)
        if layer > 0:
            x = _batch_normalization()(x)
        x = layers.ReLU()(x) if layer == 2 * stages - 1 else layers.LeakyReLU(negative_slope=0.2)(x)
    outputs = layers.Dense(1, use_bias=False, kernel_initializer=initializer, dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, outputs, name="discriminator")


def residual_generator(data_shape, latent_size, filters=128, seed=0):
    """The residual generator of Gulrajani et al. (2017) for CIFAR-10: a map that blocks double until it is the image.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of every map.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    stages = dcgan_stages(data_shape)
    height, width, channels = data_shape
    seeds = keras.random.SeedGenerator(seed)
    shape = (height >> stages, width >> stages, filters)
    inputs = keras.Input((latent_size,))
    x = layers.Reshape(shape)(layers.Dense(math.prod(shape), kernel_initializer=_plain(seeds))(inputs))
    for _ in range(stages):
        shortcut = layers.Conv2D(filters, 1, kernel_initializer=_plain(seeds))(layers.UpSampling2D(2)(x))
        x = layers.UpSampling2D(2)(layers.ReLU()(_batch_normalization()(x)))
        x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(x)
        x = layers.ReLU()(_batch_normalization()(x))
        x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(x)
        x = layers.Add()([shortcut, x])
    x = layers.ReLU()(_batch_normalization()(x))
    x = layers.Conv2D(channels, 3, padding="same", kernel_initializer=_plain(seeds))(x)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x), name="generator")


def residual_critic(data_shape, filters=128, seed=0, dropout=(0.0, 0.0, 0.0)):
    """The residual critic of Gulrajani et al. (2017) for CIFAR-10: four blocks, two of which halve the map, and a mean.

    Args:
        data_shape: `(height, width, channels)`; height and width divisible by 4.
        filters: channels of every map.
        dropout: what share is dropped of the outputs of the last three blocks, as Wei et al. (2018) do.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` to float32 scores `(batch, 1)`.
    """
    seeds = keras.random.SeedGenerator(seed)
    inputs = keras.Input(data_shape)
    shortcut = layers.Conv2D(filters, 1, kernel_initializer=_plain(seeds))(layers.AveragePooling2D(2)(inputs))
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(inputs)
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(layers.ReLU()(x))
    x = layers.Add()([shortcut, layers.AveragePooling2D(2)(x)])
    for halves, rate in zip((True, False, False), dropout, strict=True):
        shortcut = x
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(layers.ReLU()(x))
        if halves:
            shortcut = layers.Conv2D(filters, 1, kernel_initializer=_plain(seeds))(shortcut)
            shortcut, x = layers.AveragePooling2D(2)(shortcut), layers.AveragePooling2D(2)(x)
        x = layers.Add()([shortcut, x])
        if rate:
            x = Dropout(rate)(x)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    scores = layers.Dense(1, kernel_initializer=_plain(seeds), dtype="float32")(x)
    return keras.Model(inputs, scores, name="discriminator")


def joined(x, condition_size, initializer):
    """A vector beside a linear embedding of a condition (Dumoulin et al. 2016, Sec. 4.4).

    Args:
        x: `(batch, n)`.
        condition_size: length of the condition; `None` for none.
        initializer: of the embedding's kernel.

    Returns:
        A list with the condition's Keras input, and `(batch, n + EMBEDDING)`; without a condition, [] and `x`.
    """
    if condition_size is None:
        return [], x
    condition = keras.Input((condition_size,))
    embedding = layers.Dense(EMBEDDING, kernel_initializer=initializer)(condition)
    return [condition], layers.Concatenate()([x, embedding])


def encoder_of(image, features, output_size, condition_size, initializer):
    """An encoder from an image's features: a linear map of them, and of a condition.

    Args:
        image: the Keras input that `features`, `(batch, n)`, were computed from.
        output_size: how many outputs.
        condition_size: length of a condition, the second input; `None` for none.
        initializer: of the kernels.

    Returns:
        A `keras.Model` from images, and conditions, to float32 `(batch, output_size)`.
    """
    condition, x = joined(features, condition_size, initializer)
    outputs = layers.Dense(output_size, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model([image, *condition] if condition else image, outputs, name="encoder")


def discriminator_of_pairs(image, features, latent_size, condition_size, hidden, widths, rates, initializer):
    """A discriminator of pairs from an image's features: two layers for the latents, two for both, one logit.

    The head that all discriminators of images in Dumoulin et al. (2016), tables 3 to 6, have.

    Args:
        image: the Keras input that `features`, `(batch, n)`, were computed from.
        latent_size: length of a latent vector, the second input.
        condition_size: length of a condition, the third input, which joins both; `None` for none.
        hidden: from a width and a tensor to the outputs of a hidden layer.
        widths: of the two layers for the latents, and of the two for both.
        rates: of the dropout of the latents, and of the inputs of every later layer.
        initializer: of the embedding's and the last kernel.

    Returns:
        A `keras.Model` from images, latents and conditions to float32 logits `(batch, 1)`.
    """
    latents = z = keras.Input((latent_size,))
    for rate in rates:
        z = hidden(widths[0], Dropout(rate)(z))
    condition, x = joined(layers.Concatenate()([features, z]), condition_size, initializer)
    for _ in range(2):
        x = hidden(widths[1], Dropout(rates[1])(x))
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(Dropout(rates[1])(x))
    return keras.Model([image, latents, *condition], logits, name="discriminator")


def dcgan_encoder(data_shape, output_size, filters, seed=0, condition_size=None):
    """DCGAN's discriminator with `output_size` linear outputs for its logit.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        output_size: how many outputs.
        filters: channels of the first map.
        condition_size: length of a condition, a second input, embedded beside the last features; `None` for none.

    Returns:
        A `keras.Model` from `(batch, *data_shape)`, and `(batch, condition_size)`, to float32 `(batch, output_size)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    backbone = dcgan_discriminator(data_shape, filters, seed)
    return encoder_of(backbone.input, backbone.layers[-1].input, output_size, condition_size, _normal(seed + 1))


def dcgan_discriminator_of_pairs(data_shape, latent_size, filters, seed=0, condition_size=None):
    """DCGAN's discriminator that also reads latents: see `discriminator_of_pairs`.

    The latents' layers have 8 `filters` leaky units, those of both 16, with dropout of 0.2: 512 and 1,024 for 64
    filters, as in Dumoulin et al. (2016), table 4.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of a latent vector, the second input.
        filters: channels of the first map.
        condition_size: length of a condition, the third input; `None` for none.

    Returns:
        A `keras.Model` from `(batch, *data_shape)`, `(batch, latent_size)`, and `(batch, condition_size)`, to float32
        logits `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    backbone = dcgan_discriminator(data_shape, filters, seed)
    initializer = _normal(seed + 1)

    def hidden(units, x):
        return layers.LeakyReLU(negative_slope=0.2)(layers.Dense(units, kernel_initializer=initializer)(x))

    return discriminator_of_pairs(
        backbone.input,
        backbone.layers[-1].input,
        latent_size,
        condition_size,
        hidden,
        (8 * filters, 16 * filters),
        (0.2, 0.2),
        initializer,
    )


def spectrally_normalized(network, seed=0):
    """A network that computes with the kernels of all its layers divided by their spectral norms.

    Args:
        network: a functional or sequential `keras.Model`, whose layers the new one takes over with their weights.
        seed: of the vectors that the power iterations start from.

    Returns:
        A `keras.Model` of the same inputs, outputs and name.
    """
    initializer = keras.initializers.RandomNormal(stddev=1.0, seed=keras.random.SeedGenerator(seed))

    def normalized(layer):
        return SpectralNormalization(layer, initializer) if isinstance(layer, SpectralNormalization.KINDS) else layer

    return keras.models.clone_model(network, clone_function=normalized)


def with_features(network):
    """A network that gives the input of its last layer, its features, beside its output; all layers are shared.

    Args:
        network: a functional or sequential `keras.Model` that ends in a `Dense` layer.

    Returns:
        A `keras.Model` of the same inputs, to the features and the output.

    Raises:
        InputError: the network is another kind of model, or ends in another layer.
    """
    if not getattr(network, "outputs", None):
        raise InputError(f"A network with features must be functional. Received: a {type(network).__name__}")
    last, node, _ = network.outputs[0]._keras_history  # `last.input` may be that of another network with this layer
    if not isinstance(last, layers.Dense):
        raise InputError(
            f"A network with features must end in a Dense layer. Received: one that ends in {type(last).__name__}"
        )
    features = last._inbound_nodes[node].input_tensors[0]
    inputs = network.inputs if len(network.inputs) > 1 else network.inputs[0]
    return keras.Model(inputs, [features, network.outputs[0]], name=f"{network.name}_with_features")


def rescaled(network, inputs, outputs):
    """A network on data of another scale.

    Args:
        network: a `keras.Model` of one input.
        inputs: what its inputs are multiplied by first.
        outputs: what its outputs are multiplied by.

    Returns:
        A `keras.Model` with the network's shapes, layers and name, to float32.
    """
    data = keras.Input(network.input_shape[1:])
    x = network(layers.Rescaling(inputs, dtype="float32")(data))
    return keras.Model(data, layers.Rescaling(outputs, dtype="float32")(x), name=network.name)


def warn_of_batch_normalization(network):
    """Warns if a network whose gradient norms are penalised normalises by batch, itself or in a network inside it."""
    if any(isinstance(layer, layers.BatchNormalization) for layer in network._flatten_layers(include_self=False)):
        warnings.warn(
            f"{network.name!r} has batch normalisation, and its gradient's norm is penalised sample by sample: with it "
            "a score depends on the whole batch, and the penalty no longer bounds the slope. Layer normalisation does "
            "(Gulrajani et al. 2017, Sec. 4).",
            stacklevel=3,
        )


def dcgan_stages(data_shape):
    """How often a DCGAN halves an image until its smaller side has 4 to 7 pixels.

    Raises:
        InputError: `data_shape` is not an image's, is smaller than 8, or cannot be halved that often.
    """
    if len(data_shape) != 3:
        raise InputError(
            f"DCGAN needs images: `data_shape` (height, width, channels). Received: data_shape={data_shape}"
        )
    smaller = min(data_shape[:2])
    stages = int(math.log2(smaller / 4)) if smaller >= 8 else 0
    if not stages:
        raise InputError(f"DCGAN needs images of at least 8x8 pixels. Received: data_shape={data_shape}")
    unit = 1 << stages
    if any(side % unit for side in data_shape[:2]):
        raise InputError(
            f"DCGAN halves an image of this size {stages} times: height and width must be multiples of {unit}. "
            f"Received: data_shape={data_shape}"
        )
    return stages


def _normal(seed):
    return keras.initializers.RandomNormal(stddev=0.02, seed=keras.random.SeedGenerator(seed))


def _plain(seeds):
    """Glorot & Bengio's uniform draw, as the authors' code has it in linear layers, shortcuts and the last layer."""
    return keras.initializers.GlorotUniform(seed=seeds)


def _wide(seeds):
    """The same with twice the variance, as the code has it before rectified units."""
    return keras.initializers.VarianceScaling(2.0, "fan_avg", "uniform", seed=seeds)


def _batch_normalization():
    return BatchNormalization(momentum=0.9, epsilon=1e-5)
