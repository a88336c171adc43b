"""What the callbacks write, and that it is enough to go on from."""

import itertools
import json
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zoo import callbacks, data, evaluation, images, metrics
from zoo.errors import InputError, TrainingError
from zoo.models.cgan import CGAN
from zoo.models.gan import GAN


def make(**settings):
    """A small GAN on points whose discriminator has Keras' own dropout."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = GAN(
        (2,),
        latent_size=2,
        generator=keras.Sequential([keras.Input((2,)), layers.Dense(8, activation="relu"), layers.Dense(2)]),
        discriminator=keras.Sequential(
            [keras.Input((2,)), layers.Dense(8, activation="relu"), layers.Dropout(0.5), layers.Dense(1)]
        ),
        ema_decay=0.9,
        **settings,
    )
    model.compile(generator_optimizer=keras.optimizers.Adam(), discriminator_optimizer=keras.optimizers.Adam())
    return model


def points(start=0):
    rows = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
    return tf.data.Dataset.from_tensor_slices({"image": rows}).repeat().batch(8, drop_remainder=True).skip(start)


def state(model):
    optimizers = [variable for player in model.players for variable in model.optimizer_of(player).variables]
    return [np.asarray(variable.value) for variable in [*model.weights, *optimizers]]


def fit(model, epochs, *watchers, start=0):
    return model.fit(points(start), steps_per_epoch=4, epochs=epochs, verbose=0, callbacks=watchers)


def test_a_restored_model_ends_as_one_never_stopped(tmp_path):
    whole = make()
    fit(whole, 3)
    stopped = make()
    fit(stopped, 2, callbacks.Checkpoint(tmp_path))
    resumed, checkpoint = make(), callbacks.Checkpoint(tmp_path)
    checkpoint.restore(resumed)
    assert resumed.step == 8
    fit(resumed, 1, checkpoint, start=8)
    for left, right in zip(state(whole), state(resumed), strict=True):
        np.testing.assert_array_equal(left, right)
    assert checkpoint.seconds.numpy() > 0


def test_the_dropout_of_the_test_above_takes_part():
    model, rows = make(), next(iter(points()))["image"]
    first, second = (model.discriminator(rows, training=True) for _ in range(2))
    assert np.abs(first - second).max() > 0


def test_without_a_checkpoint_restore_leaves_the_model_alone(tmp_path):
    model = make()
    before = state(model)
    callbacks.Checkpoint(tmp_path).restore(model)
    for left, right in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(left, right)


def test_what_a_killed_save_leaves_behind_is_no_checkpoint(tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path / "checkpoints")
    (tmp_path / "checkpoints" / "step-4_temp").mkdir(parents=True)
    assert not checkpoint.exists()
    fit(make(), 1, checkpoint)
    assert checkpoint.exists()


def test_only_the_latest_checkpoints_stay(tmp_path):
    fit(make(), 4, callbacks.Checkpoint(tmp_path, keep=2))
    assert sorted(path.name for path in tmp_path.glob("*.index")) == ["step-12.index", "step-16.index"]


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    fit(make(), 1, callbacks.Checkpoint(tmp_path))
    other = GAN((2,), latent_size=2)
    other.compile()
    with pytest.raises(TrainingError, match="step-4"):
        callbacks.Checkpoint(tmp_path).restore(other)


def test_a_truncated_checkpoint_is_refused(tmp_path):
    fit(make(), 1, callbacks.Checkpoint(tmp_path))
    (data,) = tmp_path.glob("*.data*")
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(TrainingError, match="step-4"):
        callbacks.Checkpoint(tmp_path).restore(make())


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    model, checkpoint = make(), callbacks.Checkpoint(tmp_path)
    fit(model, 1, checkpoint)
    spoil = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: model.generator.layers[0].kernel.assign(np.full((2, 8), np.nan))
    )
    with pytest.raises(TrainingError, match="step 8: the generator has weights that are not finite"):
        fit(model, 1, spoil, checkpoint)
    assert tf.train.latest_checkpoint(tmp_path).endswith("step-4")


def test_a_checkpoint_that_cannot_be_written_is_an_error_and_the_last_one_stays(tmp_path):
    checkpoint = callbacks.Checkpoint(tmp_path)
    fit(make(), 1, checkpoint)
    (tmp_path / "step-8.index").mkdir()  # where the next one has to go
    model = make()
    checkpoint.restore(model)
    with pytest.raises(TrainingError, match="Cannot save the checkpoint of step 8"):
        fit(model, 1, checkpoint, start=4)
    resumed = make()
    callbacks.Checkpoint(tmp_path).restore(resumed)
    assert resumed.step == 4


def test_sample_grids_show_the_same_seeds(tmp_path):
    model = make()
    fit(model, 2, callbacks.SampleGrid(tmp_path / "samples", seeds=[3, 4]))
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == ["step_000004.png", "step_000008.png"]
    drawn = np.asarray(Image.open(tmp_path / "samples" / "step_000008.png"))
    np.testing.assert_array_equal(drawn, images.picture(model.sample([3, 4])))


def test_a_sample_history_has_the_same_seeds_from_before_the_first_step_on_over_restarts(tmp_path):
    model, history = make(), callbacks.SampleHistory(tmp_path / "history", samples=3)
    first = model.sample(3)
    fit(model, 1, history)
    second = model.sample(3)
    fit(model, 1, history, start=4)
    kept = callbacks.SampleHistory(tmp_path / "history", samples=3).read()
    assert list(kept) == [0, 4, 8]
    for samples, wanted in zip(kept.values(), (first, second, model.sample(3)), strict=True):
        np.testing.assert_array_equal(samples, wanted)


def test_a_sample_grid_has_a_row_a_class(tmp_path):
    model = CGAN((8, 8, 1), num_classes=3)
    model.compile()
    grid = callbacks.SampleGrid(tmp_path)
    grid.set_model(model)
    grid.on_epoch_end(0)
    rows = np.concatenate([model.sample(8, label) for label in range(3)])
    drawn = np.asarray(Image.open(tmp_path / "step_000000.png"))
    np.testing.assert_array_equal(drawn, images.grid(rows, columns=8).squeeze(-1))


def test_metrics_are_means_over_groups_of_steps(tmp_path):
    steps = make().fit(points(), steps_per_epoch=1, epochs=8, verbose=0).history
    fit(make(), 2, callbacks.MetricsLog(tmp_path, every=2))
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4, 6, 8]
    for log, values in steps.items():
        np.testing.assert_allclose([row[log] for row in rows], np.reshape(values, (4, 2)).mean(axis=1), rtol=1e-5)


def test_metrics_of_a_resumed_run_are_those_of_a_whole_one(tmp_path):
    fit(make(), 3, callbacks.MetricsLog(tmp_path / "whole", every=2))
    checkpoint = callbacks.Checkpoint(tmp_path / "checkpoints")
    fit(make(), 1, callbacks.MetricsLog(tmp_path / "resumed", every=2), checkpoint)
    with (tmp_path / "resumed" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "generator_loss": 9.0}\n{"step": 8, "gener')  # beyond the checkpoint, and cut off
    model = make()
    checkpoint.restore(model)
    fit(model, 2, callbacks.MetricsLog(tmp_path / "resumed", every=2), start=4)
    whole, resumed = ((tmp_path / run / "metrics.jsonl").read_text() for run in ("whole", "resumed"))
    assert whole == resumed


def test_tensorboard_events_hold_the_rows(tmp_path):
    fit(make(), 1, callbacks.MetricsLog(tmp_path, every=2))
    (file,) = (tmp_path / "events").iterdir()
    events = [event for event in tf.compat.v1.train.summary_iterator(str(file)) if event.summary.value]
    assert {event.step for event in events} == {2, 4}
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    values = [(event.step, value) for event in events for value in event.summary.value]
    logged = {(step, value.tag): float(tf.make_ndarray(value.tensor)) for step, value in values}
    for row in rows:
        np.testing.assert_allclose(logged[row["step"], "generator_loss"], row["generator_loss"], rtol=1e-6)


def test_the_curves_are_a_picture(tmp_path):
    fit(make(), 1, callbacks.MetricsLog(tmp_path))
    assert np.asarray(Image.open(tmp_path / "losses.png")).std() > 0


def test_the_curves_are_drawn_now_and_then_and_at_the_end(tmp_path, monkeypatch):
    """Three epochs of 6 seconds each: a picture after the first and after the third, and one of all."""
    clock, drawn = itertools.count(100, 6), []
    monkeypatch.setattr(callbacks.logs.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(
        callbacks.logs.images, "curves", lambda rows: drawn.append(len(rows)) or np.zeros((1, 1, 1), "u1")
    )
    fit(make(), 4, callbacks.MetricsLog(tmp_path, every=4))
    assert drawn == [1, 3, 4]


def scoring(directory, every=4, scores=("mode_coverage",)):
    return callbacks.Scores(directory, evaluation.RealData(data.load("ring")), list(scores), every, samples=50)


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_scores_are_taken_every_so_many_steps_and_at_the_end(tmp_path):
    model, scores = make(), scoring(tmp_path, every=3)
    fit(model, 2, scores)
    rows = rows_of(tmp_path / "scores.jsonl")
    assert [row["step"] for row in rows] == [3, 6, 8]
    ring = data.mixtures.MIXTURES["ring"]()
    centers, sigma = data.mixtures.centers(ring), data.mixtures.sigma(ring)
    assert rows[-1] == {"step": 8, **metrics.mode_coverage(model.sample(50), centers, sigma)}
    assert np.asarray(Image.open(tmp_path / "scores.png")).std() > 0


def test_scores_at_steps_that_executions_do_not_meet_are_taken_after_the_next(tmp_path):
    model = make()
    model.compile(steps_per_execution=2)
    model.fit(points(), steps_per_epoch=3, epochs=3, verbose=0, callbacks=[scoring(tmp_path, every=4)])
    assert [row["step"] for row in rows_of(tmp_path / "scores.jsonl")] == [5, 8, 9]


def test_a_run_that_was_killed_before_its_last_score_gets_it(tmp_path):
    model = make()
    fit(model, 1, scoring(tmp_path, every=3))
    fit(model, 1, start=4)
    scores = scoring(tmp_path, every=3)
    for _ in range(2):
        scores.complete(model)
        assert [row["step"] for row in rows_of(tmp_path / "scores.jsonl")] == [3, 4, 8]


def test_curves_of_a_log_that_a_restart_dropped_are_drawn_as_far_as_they_go(tmp_path):
    model = make()
    model.compile(log_gradient_norms=True)
    fit(model, 1, callbacks.MetricsLog(tmp_path, every=2))
    model.compile()
    fit(model, 1, callbacks.MetricsLog(tmp_path, every=2), start=4)
    rows = rows_of(tmp_path / "metrics.jsonl")
    assert ["generator_gradient_norm" in row for row in rows] == [True, True, False, False]
    assert np.asarray(Image.open(tmp_path / "losses.png")).std() > 0


def test_the_best_model_is_kept_beside_the_last(tmp_path, monkeypatch):
    """Of the values 1, 3, 2 the second is best, and what is kept is what the model was then."""
    values = iter([1, 3, 2])
    monkeypatch.setattr(evaluation, "score", lambda *_: {"modes": next(values)})
    model, scores, weights = make(), scoring(tmp_path), {}
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.update({model.step: model.get_weights()})
    )
    fit(model, 3, scores, keep)
    assert [row["step"] for row in scores.best_and_final()] == [8, 12]
    assert scores.report().split() == ["best", "step", "8,", "modes", "3", "final", "step", "12,", "modes", "2"]
    best = make()
    callbacks.Checkpoint(tmp_path / "best").restore(best)
    assert best.step == 8
    for left, right in zip(best.get_weights(), weights[8], strict=True):
        np.testing.assert_array_equal(left, right)


def test_scores_of_a_resumed_run_are_those_of_a_whole_one(tmp_path):
    fit(make(), 3, scoring(tmp_path / "whole"))
    checkpoint = callbacks.Checkpoint(tmp_path / "checkpoints")
    fit(make(), 1, scoring(tmp_path / "resumed"), checkpoint)
    with (tmp_path / "resumed" / "scores.jsonl").open("a") as file:
        file.write('{"step": 6, "modes": 9.0}\n')  # beyond the checkpoint
    model = make()
    checkpoint.restore(model)
    fit(model, 2, scoring(tmp_path / "resumed"), start=4)
    assert rows_of(tmp_path / "whole" / "scores.jsonl") == rows_of(tmp_path / "resumed" / "scores.jsonl")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every": 0}, "every"),
        ({"scores": ["no_such_score"]}, "no_such_score"),
        ({"scores": ["frechet_distance"]}, "needs an extractor"),
        ({"scores": ["two_sample_accuracy"]}, "which model is best.*Received: two_sample_accuracy, at its best 0.5"),
        ({"scores": ["ms_ssim_diversity"]}, "Received: ms_ssim, at its best as the floor"),
    ],
)
def test_scores_that_cannot_be_taken_are_refused_before_the_first_step(tmp_path, settings, message):
    model = make()
    with pytest.raises(InputError, match=message):
        fit(model, 1, scoring(tmp_path, **settings))
    assert model.step == 0


def test_scores_fall_on_whole_executions(tmp_path):
    model = make()
    model.compile(steps_per_execution=2)
    with pytest.raises(InputError, match="2 steps per execution"):
        fit(model, 1, scoring(tmp_path, every=3))


def two_checkpoints(directory):
    """A folder with the checkpoints of steps 4 and 8."""
    fit(make(), 2, callbacks.Checkpoint(directory))
    return directory


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("damage", [truncate, lambda path: path.unlink()], ids=["truncated", "missing"])
def test_a_damaged_newest_checkpoint_falls_back_aloud_to_the_one_before(ending, damage, tmp_path, caplog):
    damage(two_checkpoints(tmp_path) / f"step-8.{ending}")
    model, checkpoint = make(), callbacks.Checkpoint(tmp_path)
    checkpoint.restore(model)
    assert model.step == 4
    (line,) = (record.getMessage() for record in caplog.records if record.name.startswith("zoo"))
    assert "step-8 cannot be read: " in line
    assert line.endswith(f"Going on from {tmp_path / 'step-4'} instead.")
    fit(model, 2, checkpoint, start=4)
    whole = make()
    fit(whole, 3)
    for left, right in zip(state(whole), state(model), strict=True):
        np.testing.assert_array_equal(left, right)
    assert sorted(path.name for path in tmp_path.glob("*.index")) == ["step-12.index", "step-8.index"]


@pytest.mark.parametrize("contents", [None, b"\xff\x00 no list"], ids=["missing", "damaged"])
def test_the_newest_checkpoint_is_found_without_tensorflows_list(contents, tmp_path):
    path = two_checkpoints(tmp_path) / "checkpoint"
    path.write_bytes(contents) if contents else path.unlink()
    model, checkpoint = make(), callbacks.Checkpoint(tmp_path)
    checkpoint.restore(model)
    assert model.step == 8
    fit(model, 1, checkpoint, start=8)
    assert sorted(path.name for path in tmp_path.glob("*.index")) == ["step-12.index", "step-8.index"]


def test_a_model_does_not_start_afresh_where_no_checkpoint_can_be_read(tmp_path):
    for path in two_checkpoints(tmp_path).glob("*.index"):
        path.unlink()
    with pytest.raises(TrainingError, match=r"No checkpoint is left to go on from\. .*step-8 cannot .*step-4 cannot"):
        callbacks.Checkpoint(tmp_path).restore(make())


@pytest.mark.parametrize("name", ["br[1]", "a*", "b?", "c\\d"])
def test_a_directory_that_tensorflow_reads_as_a_pattern_is_refused(name, tmp_path):
    with pytest.raises(InputError, match=r"TensorFlow reads .* in a path as a pattern\. Received: "):
        callbacks.Checkpoint(tmp_path / name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_training_after_its_step_which_is_saved(number, tmp_path):
    model, numbers = make(), (signal.SIGINT, signal.SIGTERM)
    before = list(map(signal.getsignal, numbers))
    raised = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: signal.raise_signal(number) if model.step == 6 else None
    )
    with callbacks.StopOnSignal() as stop:
        fit(model, 3, raised, callbacks.Checkpoint(tmp_path), stop)
        assert stop.received == number
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert tf.train.latest_checkpoint(tmp_path).endswith("step-6")
    assert list(map(signal.getsignal, numbers)) == before


def test_scores_of_an_interrupted_training_wait_for_its_end(tmp_path):
    scores = callbacks.Scores(tmp_path, evaluation.RealData(data.load("ring")), ["mode_coverage"], 8, 50, steps=12)
    model = make()
    fit(model, 1, scores)
    assert not (tmp_path / "scores.jsonl").exists()
    fit(model, 2, scores, start=4)
    assert [row["step"] for row in rows_of(tmp_path / "scores.jsonl")] == [8, 12]
