"""`gunicorn app:app` reads this file by itself; what it says is in the package (notiway/ops/serving.py)."""

from notiway.ops.serving import *  # noqa: F403 - gunicorn looks at every name of this file
