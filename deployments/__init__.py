"""What Ray Serve runs: api.py (the HTTP ingress) and models.py (the model gateway).

Each has `build(settings) -> serve.Application`; `growqr.instance.deploy` deploys both.
"""
