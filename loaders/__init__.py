"""Files to graph, graph to snapshot, snapshot to PyG data; a generated community for the demo."""

from kinfolio.loaders.demo.community import community_ids, write_community
from kinfolio.loaders.exporting.export import export, export_to
from kinfolio.loaders.pyg.hetero import to_hetero_data
from kinfolio.loaders.writing.load import load

__all__ = ["community_ids", "export", "export_to", "load", "to_hetero_data", "write_community"]
