"""growqr: a private agent platform for every user.

Rooms and the direction of imports are drawn in the README's architecture section and held by
`tests/unit/test_architecture.py`.
"""

__version__ = "0.1.0"
