"""params.yaml, typed: one module a section, so that a stage depends only on the sections it reads."""
