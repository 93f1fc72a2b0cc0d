"""Groups of parameters of clusters of databases."""

from __future__ import annotations

from demarc.readers import Reader
from demarc.readers.rds import parameters

DB_CLUSTER_PARAMETER_GROUP = parameters.reader("DBCluster", arn="cluster-pg")

READERS: tuple[Reader, ...] = (DB_CLUSTER_PARAMETER_GROUP,)
