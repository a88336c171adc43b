"""Seconds that command lines take from start to end, each in its own process, in turn; the first round is not counted.

python benchmarks/startup.py [--rounds 3]
"""

import subprocess
import sys
import tempfile

import common

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "python -c 'import tensorflow'": ["-c", "import tensorflow"],
    "zoo list": ["-m", "zoo.commands.main", "list"],
    "zoo show dcgan-fashion_mnist": ["-m", "zoo.commands.main", "show", "dcgan-fashion_mnist"],
    "zoo train dcgan_digits --help": ["-m", "zoo.commands.main", "train", "dcgan_digits", "--help"],
    "zoo sample, 64 images": [
        "-m",
        "zoo.commands.main",
        "sample",
        "dcgan-fashion_mnist",
        "--seeds=0-63",
        "--npz=s.npz",
    ],
    "zoo train dcgan_digits, 1 step": [
        *("-m", "zoo.commands.main", "train", "dcgan_digits", "--steps=1", "--checkpoint_every=1", "--noresume")
    ],
}


def main():
    arguments = common.parser(__doc__, rounds=3).parse_args()
    with tempfile.TemporaryDirectory() as folder:

        def timed(command):
            subprocess.run([sys.executable, *command], cwd=folder, check=True, capture_output=True)

        variants = {name: lambda command=command: timed(command) for name, command in COMMANDS.items()}
        times = common.interleaved(variants, 1 + arguments.rounds)
    times = {name: seconds[1:] for name, seconds in times.items()}
    common.report("startup", arguments, common.compared(times, "python -c 'import tensorflow'"))


if __name__ == "__main__":
    main()
