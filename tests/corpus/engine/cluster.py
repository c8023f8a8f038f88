"""Two workers of a Ray cluster on this machine look at the parts of a data set: run in a process of its own.

Arguments: the data set, and the checks. Prints a line of JSON with their statements and what else the test asks about.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from hallmarked.corpus.engine import plan  # first of all: it tells the libraries to keep quiet

import ray  # isort: skip
from ray._common.usage.usage_lib import usage_stats_enabled  # isort: skip
from ray.cluster_utils import Cluster  # isort: skip

from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.checks import registry
from hallmarked.checks.parted import run_in_parts
from hallmarked.core.errors import BackendError
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.engine.model import Engine, Progress


@ray.remote(num_cpus=1)
def look_around() -> dict[str, str]:
    """Return what a worker sees of what makes libraries keep quiet."""
    return {name: os.environ.get(name, "") for name in plan.QUIET}


def main() -> None:
    """Start the cluster, run the checks on it, and say what came of it."""
    folder, checks = Path(sys.argv[1]), sys.argv[2:]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    artifact, engine = open_artifact(folder), Engine(address=cluster.address)
    seen: list[Progress] = []
    statements = {}
    for name in checks:
        check, _ = registry.load(name)
        result = run_in_parts(name, check.version, describe(artifact), Limits(), engine, report=seen.append)
        statements[name] = result.to_statement(artifact.subject, "00").to_dict()
    try:
        plan.choose(Engine(2))
        refused = ""
    except BackendError as error:
        refused = str(error)
    said = {
        "statements": statements,
        "rows": seen[-1].rows,
        "workers": len([node for node in ray.nodes() if node["Resources"].get("CPU")]),
        "quiet": ray.get(look_around.remote()),
        "usage": usage_stats_enabled(),
        "refused": refused,
    }
    sys.stdout.write("\n" + json.dumps(said, sort_keys=True) + "\n")
    sys.stdout.flush()
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
