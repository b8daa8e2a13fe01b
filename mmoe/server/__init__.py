"""An HTTP server around a Linker (extra `server`); stands beside cli, above all other rooms."""
