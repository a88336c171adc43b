"""Images per second of two processes that train together, compared with one; computing and exchanging separately.

    python benchmarks/workers.py [--rows 64] [--steps 30] [--rounds 3]

Each process has one core. For each model the script measures one process with the global batch, two processes with as
many rows each, and two with half as many rows each. `exchange_ms` is the time that the same two processes save if both
run at the same time but each trains on its own. `calculated_ms` adds to the computing time a straight line through the
exchange times: a cost per megabyte of weights and a cost per step. The file extrapolates it to more processes: the
exchange in a ring of N processes takes 2 (N - 1) / N times the megabytes and N - 1 times the delay.
"""

import json
import os
import socket
import subprocess
import sys

import common
import numpy as np

MODELS = {"DCGAN": {"filters": 64}, "DCGAN, ten million weights": {"filters": 192}}


def child(title, rows, steps, alone):
    """Prints the seconds per step and the bytes of the weights of this process."""
    import time

    import tensorflow as tf

    from zoo import DCGAN, distribute

    strategy = distribute.strategy("none" if alone else "auto")
    with strategy.scope():
        model = DCGAN(common.SHAPE, **MODELS[title])
        model.compile()
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    replicas = strategy.num_replicas_in_sync
    data = common.batches(rows * replicas).with_options(options)
    model.fit(data, steps_per_epoch=3, verbose=0, shuffle=False)
    start = time.perf_counter()
    model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)
    seconds = (time.perf_counter() - start) / steps
    weights = sum(variable.shape.num_elements() for player in model.players for variable in model.variables_of(player))
    print(json.dumps({"seconds": seconds, "bytes": 4 * weights}))


def trained(title, rows, steps, processes, alone=False):
    """The measurement of the first of several processes that start together, each on its own core."""
    cores = sorted(os.sched_getaffinity(0))[:processes]
    if len(cores) < processes:
        sys.exit(f"This benchmark needs {processes} cores. Received: {len(cores)}")
    sockets = [socket.create_server(("localhost", 0)) for _ in cores]
    addresses = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    running = []
    for index, core in enumerate(cores):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(config) if processes > 1 and not alone else ""}
        line = [sys.executable, __file__, f"--rows={rows}", f"--steps={steps}", "--child", title]
        line += ["--alone"] if alone or processes == 1 else []
        line = ["taskset", "-c", str(core), *line]
        running.append(subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True))
    outputs = [process.communicate()[0] for process in running]
    return json.loads(outputs[0].splitlines()[-1])


def main():
    command = common.parser(__doc__, rows=64, steps=30, rounds=3)
    command.add_argument("--child", choices=list(MODELS), help="measure in this process; used by the benchmark itself")
    command.add_argument("--alone", action="store_true", help="with --child: train without the other processes")
    arguments = command.parse_args()
    rows, steps = arguments.rows, arguments.steps
    if arguments.child:
        child(arguments.child, rows, steps, arguments.alone)
        return
    table = []
    for title in MODELS:
        variants = {
            "one process": (rows, 1, False),
            "two, equal rows each": (rows, 2, False),
            "two, equal rows each, apart": (rows, 2, True),
            "two, equal global batch": (rows // 2, 2, False),
            "two, equal global batch, apart": (rows // 2, 2, True),
        }
        found = {name: [] for name in variants}
        for _ in range(arguments.rounds):
            for name, (share, processes, alone) in variants.items():
                found[name].append(trained(title, share, steps, processes, alone))
        seconds = {name: min(one["seconds"] for one in measured) for name, measured in found.items()}
        for name in ("one process", "two, equal rows each", "two, equal global batch"):
            share, processes, _ = variants[name]
            computing = seconds.get(f"{name}, apart", seconds[name])
            table.append(
                {
                    "model": title,
                    "variant": name,
                    "megabytes": found[name][0]["bytes"] / 1e6,
                    "step_ms": 1e3 * seconds[name],
                    "computing_ms": 1e3 * computing,
                    "exchange_ms": 1e3 * (seconds[name] - computing),
                    "speedup": processes * share / seconds[name] / (rows / seconds["one process"]),
                }
            )
    exchanging = [row for row in table if row["variant"] != "one process"]
    per_megabyte, delay = np.polyfit(
        [row["megabytes"] for row in exchanging], [row["exchange_ms"] for row in exchanging], 1
    )
    for row in table:
        exchange = per_megabyte * row["megabytes"] + delay if row in exchanging else 0.0
        row["calculated_ms"] = row["computing_ms"] + float(exchange)
    facts = {"ms_per_megabyte_of_two": float(per_megabyte), "delay_ms_of_two": float(delay)}
    facts["calculated_ms"] = {
        str(count): [
            {"megabytes": row["megabytes"], "rows": rows, "step_ms": row["computing_ms"]
             + 2 * (count - 1) / count * float(per_megabyte) * row["megabytes"] + (count - 1) * float(delay)}
            for row in table
            if row["variant"] == "two, equal rows each"
        ]
        for count in (2, 4, 8, 16, 64)
    }  # fmt: skip
    common.report("workers", arguments, table, **facts)


if __name__ == "__main__":
    main()
