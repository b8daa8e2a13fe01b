"""The stages of dvc.yaml: each reads files, calls one package of mmoe, writes files."""
