"""The one way out of a container: the relay on its network's gateway address.

relay      the listeners, one for each network
exchange   one request: whether it is allowed, and how it is passed on
"""
