"""The cluster that all tests of overlapping invalidations share; each begins with the same summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.resilience.hierarchy_cast import Cast, hierarchy_cast
from tests.resilience.own_cluster import own_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.resilience.own_cluster import OwnCluster


@pytest.fixture(scope="session")
def hierarchy_cluster() -> Iterator[OwnCluster]:
    with own_cluster("hierarchy") as cluster:
        yield cluster


@pytest.fixture
def cast(hierarchy_cluster: OwnCluster) -> Iterator[Cast]:
    with hierarchy_cast(hierarchy_cluster) as cast:
        yield cast
