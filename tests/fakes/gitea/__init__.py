"""A stand-in for Gitea: the calls we use, over real bare repositories (server, by itself), held to
the table in `contract`; `serving` runs it, or a real one in its place."""
