# SPDX-License-Identifier: BSD-3-Clause
"""The claims of the paper, each measured.

    python -m benchmarks.studies.claims --data-home FOLDER [--parts PART ...]

Parts are written to ``results/claims.json`` as they are done; those not named keep
what is there. The part ``resnet`` needs torch, skorch and pytest.
"""

import argparse
import warnings
from functools import partial

from threadpoolctl import threadpool_limits

from benchmarks.provenance import provenance, read, write
from benchmarks.studies.claims_cost import cost
from benchmarks.studies.claims_influence import effects_on_adult, last_layer_of_a_resnet
from benchmarks.studies.claims_weights import hard_and_soft, sweep

SIZES = {10_000: 9, 30_000: 9, 50_000: 7, 100_000: 7, 1_000_000: 3}
SWEPT = ("adult", "bank_working_age")


def over(tasks, measure, options):
    """Records of all tasks and seeds."""
    return [
        record
        for task in tasks
        for seed in range(options.seeds)
        for record in measure(task, options.data_home, seed)
    ]


PARTS = {
    "effects": lambda options: effects_on_adult(options.data_home, seed=0),
    "resnet": lambda options: last_layer_of_a_resnet(seed=0),
    "hard and soft": partial(over, SWEPT, hard_and_soft),
    "sweep": partial(over, SWEPT, sweep),
    "cost": lambda options: [cost(*each) for each in SIZES.items()],
}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-home")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    for part in options.parts:
        with threadpool_limits(1):
            found = PARTS[part](options)
        results = read("claims") or {}
        results[part] = {
            "seeds": options.seeds,
            "provenance": provenance("torch", "skorch"),
            "found": found,
        }
        print(part, "->", write("claims", results), flush=True)


if __name__ == "__main__":
    main()
