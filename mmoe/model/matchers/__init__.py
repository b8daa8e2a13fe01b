"""One module a matcher; mmoe/model/registry.py names them."""
