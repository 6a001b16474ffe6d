"""Services as containers of one engine.

    runtime      DockerRuntime: the five verbs
    engine       the SDK behind threads and deadlines; watch: what the engine tells
    containers   found by label, made, moved aside, ended; container: one, as it was inspected
    profile      what a container is created with: all its walls
    starts       the place where one starts: networks, published ports, how it is reached
    firewall     the rules around all networks of the instance
    images       here already, built, or pulled; inside: a program run in a container
    examine      what `growqr doctor` asks about all this

The library itself is loaded by the first call to an engine, never by importing this.
"""
