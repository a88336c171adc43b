"""Final scores of recipes that learn from few labels: of the model, and of a classifier without unlabelled rows."""

from __future__ import annotations

import numpy as np

BATCH_SIZE = 100
BASELINE_STEPS = 3000  # or as many as the model's, if fewer; a classifier has long fitted its few rows by then


def classification_scores(model, data, rows, network) -> list[dict]:
    """The test accuracy of a trained model, and that of a network that sees only the labelled rows; prints both.

    Args:
        model: a model with `test_score`, such as `SemiSupervisedGAN`.
        data: the dataset.
        rows: the `SemiSupervisedSplit` that the model was trained on.
        network: a new network like the model's discriminator, to logits `(batch, num_classes)`; it is trained here,
            with an optimiser like that of the model's discriminator.

    Returns:
        Two scores as a card holds them.
    """
    score = model.test_score(data) | {"labels": rows.count}
    baseline = {**score, "score": f"{score['score']} from the labelled rows alone"}
    baseline["value"] = _accuracy_of_labelled_rows(model, data, rows, network)
    for accuracy in (score, baseline):
        errors = round((1 - accuracy["value"]) * accuracy["n_real"])
        print(f"{accuracy['score']}: {accuracy['value']:.2%}, {errors} errors of {accuracy['n_real']}")
    return [score, baseline]


def _accuracy_of_labelled_rows(model, data, rows, network) -> float:
    import keras

    from zoo.layers import initialize_from_data

    initialize_from_data(network, model.checked_data(rows.labelled.images))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = model.optimizer_of("discriminator")
    network.compile(type(optimizer).from_config(optimizer.get_config()), loss)
    batches = rows.labelled.stream(BATCH_SIZE, model.seed).map(lambda batch: (model.real_data(batch), batch["label"]))
    # The stream is shuffled already; without `shuffle=False`, Keras warns.
    network.fit(batches, steps_per_epoch=min(BASELINE_STEPS, model.step), shuffle=False, verbose=0)
    guesses = [np.argmax(network(model.real_data(batch)), axis=-1) for batch in data.test.batches(BATCH_SIZE)]
    return float(np.mean(np.concatenate(guesses) == data.test.labels))
