"""Every kind of model that a recipe can name, the compiler's and the plugins'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_compiler.extensions import Registry
from mlops_compiler.models.decision_tree import DecisionTree
from mlops_compiler.models.elastic_net import ElasticNet
from mlops_compiler.models.extra_trees import ExtraTrees
from mlops_compiler.models.gaussian_mixture import GaussianMixture
from mlops_compiler.models.hdbscan import Hdbscan
from mlops_compiler.models.hist_gradient_boosting import HistGradientBoosting
from mlops_compiler.models.isolation_forest import IsolationForest
from mlops_compiler.models.k_means import KMeans
from mlops_compiler.models.local_outlier_factor import LocalOutlierFactor
from mlops_compiler.models.logistic_regression import LogisticRegression
from mlops_compiler.models.mean import Mean
from mlops_compiler.models.naive_bayes import NaiveBayes
from mlops_compiler.models.nearest_neighbours import NearestNeighbours
from mlops_compiler.models.prior import Prior
from mlops_compiler.models.random_forest import RandomForest
from mlops_compiler.models.random_partition import RandomPartition
from mlops_compiler.models.random_score import RandomScore
from mlops_compiler.models.ridge import Ridge
from mlops_compiler.models.seasonal_naive import SeasonalNaive
from mlops_compiler.models.svm import Svm
from mlops_compiler.models.torch_mlp import TorchMlp

if TYPE_CHECKING:
    from mlops_compiler.models.kind import ModelKind

BUILTIN: tuple[ModelKind, ...] = (
    Prior(),
    Mean(),
    SeasonalNaive(),
    RandomPartition(),
    RandomScore(),
    NaiveBayes(),
    LogisticRegression(),
    Ridge(),
    ElasticNet(),
    DecisionTree(),
    KMeans(),
    GaussianMixture(),
    IsolationForest(),
    NearestNeighbours(),
    Hdbscan(),
    LocalOutlierFactor(),
    RandomForest(),
    ExtraTrees(),
    HistGradientBoosting(),
    Svm(),
    TorchMlp(),
)
"""The kinds that ship with the compiler, the simpler ones first."""
MODELS: Registry[ModelKind] = Registry("mlops_compile.models", {kind.name: kind for kind in BUILTIN})
