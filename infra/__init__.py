"""What is deployed: one construct per box of the diagram; arrows are keyword arguments, grants are inside the box."""

from pathlib import Path

from infra.node import choose_node

ROOT = Path(__file__).parent.parent

# The CDK starts Node when it is imported, so the choice comes first.
choose_node()
