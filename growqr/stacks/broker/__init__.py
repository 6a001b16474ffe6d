"""Docker's socket in a process of its own, for an instance that should not hold it.

server    `growqr broker`: the verbs over a unix socket
permits   what it allows: no more than a service of a user
client    BrokerRuntime, which the Host uses in its place
wire      how specs, statuses and errors are written
"""
